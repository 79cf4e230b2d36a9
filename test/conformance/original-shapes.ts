import type { MariaDb } from '../support/mariadb.ts'
import { originalTables } from '../support/table-facts.ts'

/** Forms that texts of the program may have, narrow ones first; a column has the first that the original's values have. */
const FORMS: ReadonlyMap<string, RegExp> = new Map([
  ['UUID', /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/],
  ['list of owners', /^[a-z]+:[^:,]+(,[a-z]+:[^:,]+)*$/],
  ['local name', /^[a-z0-9_][a-z0-9_.-]*$/],
  ['full name', /^[a-z0-9_*][^A-Z\s,]*$/],
  ['base64 with . _ -', /^[A-Za-z0-9._-]+$/],
  ['object of JSON', /^\{.*\}$/s],
])

/** Columns whose texts the program makes or insists on a form of; `table.column`, or the column of any table. */
const FORMED: ReadonlySet<string> = new Set([
  'uuid',
  'resource_owner',
  'key_value',
  'entity.value',
  'name',
  'assertion.role',
  'trust',
  'admin',
  'member',
  'req_principal',
  'template',
  'service_domain_dependency.domain',
  'service_domain_dependency.service',
  'type',
  'version',
])

/** Columns with words of the program; a column has the same words in every table. */
const WORDS: ReadonlySet<string> = new Set(['action', 'effect', 'operator', 'pending_state', 'sign_algorithm'])
/** Words that the original writes, but had no occasion to write in these rows. */
const MORE_WORDS: ReadonlyMap<string, readonly string[]> = new Map([['action', ['ENABLE']]])

/** What the original writes into columns. */
export interface OriginalShapes {
  /** Words and flags by column, whatever the table. */
  readonly words: ReadonlyMap<string, ReadonlySet<unknown>>
  /** Form by `table.column`. */
  readonly forms: ReadonlyMap<string, string>
  /** Columns that have '' somewhere, whatever the table. */
  readonly empty: ReadonlySet<string>
}

interface Values {
  readonly table: string
  readonly column: string
  readonly isWord: boolean
  readonly isFormed: boolean
  readonly values: readonly unknown[]
}

/** What the original's rows in a database have, column by column. */
export async function originalShapes(db: MariaDb, database: string): Promise<OriginalShapes> {
  const words = new Map<string, Set<unknown>>()
  const forms = new Map<string, string>()
  const empty = new Set<string>()
  for (const { table, column, isWord, isFormed, values } of await readValues(db, database)) {
    if (values.includes('')) empty.add(column)
    if (isWord) words.set(column, new Set([...(words.get(column) ?? MORE_WORDS.get(column) ?? []), ...values]))
    if (!isFormed) continue
    const texts = values.filter((value): value is string => typeof value === 'string' && value !== '')
    const form = [...FORMS.keys()].find((name) => texts.every((text) => FORMS.get(name)?.test(text)))
    if (form === undefined || texts.length === 0) throw new Error(`${table}.${column} has no form`)
    forms.set(`${table}.${column}`, form)
  }
  return { words, forms, empty }
}

/** Values of a database that are not as the original writes them, each as `table.column: reason`. */
export async function strangeValues(db: MariaDb, database: string, shapes: OriginalShapes): Promise<string[]> {
  const strange: string[] = []
  for (const { table, column, isWord, isFormed, values } of await readValues(db, database)) {
    const form = shapes.forms.get(`${table}.${column}`) ?? ''
    for (const value of values) {
      const isText = typeof value === 'string'
      const reason =
        (isText && value === '' && (isWord || isFormed) && !shapes.empty.has(column) && 'empty') ||
        (isWord && !shapes.words.get(column)?.has(value) && 'nothing the original writes') ||
        (isFormed && isText && value !== '' && !FORMS.get(form)?.test(value) && `no ${form}`)
      if (reason) strange.push(`${table}.${column}: ${JSON.stringify(value)?.slice(0, 100)} is ${reason}`)
    }
  }
  return strange
}

async function readValues(db: MariaDb, database: string): Promise<Values[]> {
  const found: Values[] = []
  for (const [table, { columns }] of Object.entries(await originalTables('zms'))) {
    const names = table === 'assertion' ? new Set(['role', 'effect']) : undefined
    for (const { name: column, type } of columns) {
      // The action of an assertion is any text; that of a history is a word.
      if (names !== undefined && !names.has(column)) continue
      // The database would take a value and the same in capital letters for one.
      const rows = await db.query<{ value: unknown }>(`SELECT \`${column}\` AS value FROM ${database}.\`${table}\``)
      const isFlag = type === 'tinyint(1)' || column.startsWith('system_')
      found.push({
        table,
        column,
        isWord: WORDS.has(column) || isFlag,
        isFormed:
          FORMED.has(`${table}.${column}`) || (FORMED.has(column) && !type.includes('text')) || column === 'key_value',
        values: [...new Set(rows.map(({ value }) => value))],
      })
    }
  }
  return found
}
