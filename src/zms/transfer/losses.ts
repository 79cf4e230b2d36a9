import { type PortableRow, type TableRow, tableOf } from './tables.ts'

/** Examples that are named for each table. */
const EXAMPLES = 3

/** What is given anew wherever data go, and may differ: keys of rows. Ids of assertions are known outside. */
const isKey = (column: string) => column.endsWith('_id') && !MEANINGFUL_IDS.has(column)
const MEANINGFUL_IDS: ReadonlySet<string> = new Set([
  'assertion_id',
  'condition_id',
  'application_id',
  'ypm_id',
  'product_id',
  'key_id',
  'client_id',
])

/** What rows lost on their way through a store, found by comparing them with what comes out of it. */
export class Losses {
  readonly #counts = new Map<string, number>()
  readonly #examples = new Map<string, string[]>()

  /** Compares rows of a domain, in whatever order. */
  compare(given: Iterable<TableRow>, kept: Iterable<TableRow>): void {
    const left = new Map<string, number>()
    for (const each of kept) {
      const text = textOf(each)
      left.set(text, (left.get(text) ?? 0) + 1)
    }
    for (const each of given) {
      const text = textOf(each)
      const count = left.get(text) ?? 0
      if (count > 0) left.set(text, count - 1)
      else this.#add(each)
    }
  }

  /** A line for each table, with examples; none when nothing was lost. */
  lines(): string[] {
    return [...this.#counts].map(([table, count]) => {
      const examples = this.#examples.get(table) ?? []
      return `${count} ${count === 1 ? 'row' : 'rows'} of ${table} as they are, like ${examples.join(', ')}`
    })
  }

  #add({ table, row }: TableRow): void {
    this.#counts.set(table, (this.#counts.get(table) ?? 0) + 1)
    const examples = this.#examples.get(table) ?? []
    if (examples.length < EXAMPLES) examples.push(exampleOf(table, row))
    this.#examples.set(table, examples)
  }
}

/** Columns that are not shown: secrets. */
const HIDDEN: ReadonlySet<string> = new Set(['creds', 'key_value'])
const EXAMPLE_CHARACTERS = 300

function exampleOf(table: TableRow['table'], row: PortableRow): string {
  const shown = Object.entries(withoutKeys(table, row)).filter(
    ([column, value]) => !HIDDEN.has(column) && value !== '' && value !== null && value !== 0,
  )
  return JSON.stringify(Object.fromEntries(shown)).slice(0, EXAMPLE_CHARACTERS)
}

const textOf = ({ table, row }: TableRow): string => `${table}${JSON.stringify(withoutKeys(table, row))}`

/** A row without its keys, and without what no store but the original's database has. */
function withoutKeys(table: TableRow['table'], row: PortableRow): Record<string, unknown> {
  const kept: Record<string, unknown> = {}
  for (const column of tableOf(table).columns.keys()) {
    if (isKey(column) || (table === 'quota' && column === 'created')) continue
    kept[column] = row[column]
  }
  return kept
}
