import type { MariaDb } from '../../support/mariadb.ts'

/** A row of the database's log. */
export interface LogRow {
  /** Connection. */
  readonly thread: number
  readonly kind: string
  readonly text: string | Buffer
}

/** Kinds of rows of the log that are statements which somebody waits for. */
const STATEMENTS: ReadonlySet<string> = new Set(['Query', 'Execute'])
const OWN = /general_log/

/**
 * The statements, BEGIN and COMMIT among them, that others send to a database while `act` runs, in their order: from the
 * database's own log. What is prepared for the first time is not in it twice.
 */
export async function sqlStatements(database: MariaDb, act: () => Promise<unknown>): Promise<string[]> {
  await database.query("SET GLOBAL log_output = 'TABLE'")
  await database.query('TRUNCATE TABLE mysql.general_log')
  await database.query('SET GLOBAL general_log = ON')
  try {
    await act()
  } finally {
    await database.query('SET GLOBAL general_log = OFF')
  }
  const rows = await database.query<LogRow>(
    'SELECT thread_id AS thread, command_type AS kind, argument AS text FROM mysql.general_log ORDER BY event_time',
  )
  return statementsIn(rows)
}

/** The statements in rows of the log, without those of connections by which the log itself was switched or read. */
export function statementsIn(rows: readonly LogRow[]): string[] {
  const texts = rows.map(({ thread, kind, text }) => ({ thread, kind, text: String(text) }))
  const own = new Set(texts.filter(({ text }) => OWN.test(text)).map(({ thread }) => thread))
  return texts
    .filter(({ thread, kind }) => STATEMENTS.has(kind) && !own.has(thread))
    .map(({ text }) => text.replaceAll(/\s+/g, ' '))
}
