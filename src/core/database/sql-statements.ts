/** Text in which a semicolon does not end a statement. */
interface Enclosed {
  readonly begin: string
  readonly end: string
  /** Whether a backslash takes the next character for itself. */
  readonly escapes?: true
  /** Whether it is only one when white space follows. */
  readonly spaced?: true
}

const COMMENTS: readonly Enclosed[] = [
  { begin: '--', end: '\n', spaced: true },
  { begin: '#', end: '\n' },
  { begin: '/*', end: '*/' },
]
const ENCLOSED: readonly Enclosed[] = [
  { begin: "'", end: "'", escapes: true },
  { begin: '"', end: '"', escapes: true },
  { begin: '`', end: '`' },
  ...COMMENTS,
]

/**
 * Splits the text of an SQL file into its statements, without the semicolons and without empty ones. Knows quotes and
 * comments; the DELIMITER command of the mysql client is not SQL and not known.
 */
export function splitStatements(sql: string): string[] {
  const statements: string[] = []
  let begin = 0
  let at = 0
  while (at < sql.length) {
    if (sql[at] === ';') {
      statements.push(sql.slice(begin, at))
      at += 1
      begin = at
    } else {
      at = endOfEnclosed(sql, at, ENCLOSED) ?? at + 1
    }
  }
  statements.push(sql.slice(begin))
  return statements.map((statement) => statement.trim()).filter((statement) => !isBlank(statement))
}

/** The place behind what begins here, if one of the kinds does. */
function endOfEnclosed(sql: string, at: number, kinds: readonly Enclosed[]): number | undefined {
  const kind = kinds.find(
    ({ begin, spaced }) => sql.startsWith(begin, at) && !(spaced && /\S/.test(sql.charAt(at + begin.length))),
  )
  if (kind === undefined) return undefined
  let next = at + kind.begin.length
  while (next < sql.length && !sql.startsWith(kind.end, next)) next += kind.escapes && sql[next] === '\\' ? 2 : 1
  return next + kind.end.length
}

/** Whether nothing is left of a statement without its comments. */
function isBlank(statement: string): boolean {
  let rest = statement
  while (rest !== '') {
    // A comment that begins with an exclamation mark is executed.
    const end = rest.startsWith('/*!') ? undefined : endOfEnclosed(rest, 0, COMMENTS)
    if (end === undefined) return false
    rest = rest.slice(end).trimStart()
  }
  return true
}
