import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { MariaDb } from './mariadb.ts'

/** A column as `test/database/columns.json` describes it; its notation is explained there. */
export interface Column {
  name: string
  type: string
  null?: true
  default?: string | number
  extra?: string
  collation?: string
  keys?: string[]
}
/** A table, likewise. */
export interface Table {
  engine: string
  collation: string
  columns: Column[]
  primary: string[]
  unique?: string[][]
  indexes?: string[][]
  foreign?: string[][]
}

interface ColumnRow {
  TABLE_NAME: string
  COLUMN_NAME: string
  COLUMN_TYPE: string
  IS_NULLABLE: 'YES' | 'NO'
  COLUMN_DEFAULT: string | null
  EXTRA: string
  COLLATION_NAME: string | null
}
interface KeyRow {
  TABLE_NAME: string
  INDEX_NAME: string
  NON_UNIQUE: number
  COLUMN_NAME: string
  SUB_PART: number | null
}
interface ForeignRow {
  TABLE_NAME: string
  CONSTRAINT_NAME: string
  COLUMN_NAME: string
  TARGET: string
  DELETE_RULE: string
  UPDATE_RULE: string
}

/** A default as the facts write it: numbers and words bare, texts without their quotes. */
function defaultOf(row: ColumnRow): string | number | undefined {
  const text = row.COLUMN_DEFAULT
  if (text === null || text === 'NULL') return undefined
  if (/^'.*'$/.test(text)) return text.slice(1, -1)
  return /^-?\d+$/.test(text) ? Number(text) : text
}

/** The tables of a database as the facts write them. */
export async function describeTables(db: MariaDb, database: string): Promise<Map<string, Table>> {
  const tables = await db.query<{ TABLE_NAME: string; ENGINE: string; TABLE_COLLATION: string }>(
    'SELECT TABLE_NAME, ENGINE, TABLE_COLLATION FROM information_schema.TABLES WHERE TABLE_SCHEMA = ?',
    [database],
  )
  const columns = await db.query<ColumnRow>(
    'SELECT * FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? ORDER BY TABLE_NAME, ORDINAL_POSITION',
    [database],
  )
  const keys = await db.query<KeyRow>(
    `SELECT TABLE_NAME, INDEX_NAME, NON_UNIQUE, COLUMN_NAME, SUB_PART FROM information_schema.STATISTICS
     WHERE TABLE_SCHEMA = ? ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX`,
    [database],
  )
  const foreign = await db.query<ForeignRow>(
    `SELECT k.TABLE_NAME, k.CONSTRAINT_NAME, k.COLUMN_NAME, r.DELETE_RULE, r.UPDATE_RULE,
            CONCAT(k.REFERENCED_TABLE_NAME, '.', k.REFERENCED_COLUMN_NAME) AS TARGET
     FROM information_schema.KEY_COLUMN_USAGE k
     JOIN information_schema.REFERENTIAL_CONSTRAINTS r
       ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME
     WHERE k.TABLE_SCHEMA = ? AND k.REFERENCED_TABLE_NAME IS NOT NULL ORDER BY k.CONSTRAINT_NAME`,
    [database],
  )
  const indexes = (table: string, wanted: (key: KeyRow) => boolean): string[][] => {
    const grouped = Map.groupBy(
      keys.filter((key) => key.TABLE_NAME === table && wanted(key)),
      (key) => key.INDEX_NAME,
    )
    return [...grouped].map(([name, parts]) => [
      name,
      ...parts.map((part) => part.COLUMN_NAME + (part.SUB_PART === null ? '' : `(${part.SUB_PART})`)),
    ])
  }
  return new Map(
    tables.map(({ TABLE_NAME: table, ENGINE, TABLE_COLLATION }) => {
      const primary = indexes(table, (key) => key.INDEX_NAME === 'PRIMARY')[0]?.slice(1) ?? []
      const unique = indexes(table, (key) => key.INDEX_NAME !== 'PRIMARY' && key.NON_UNIQUE === 0)
      const plain = indexes(table, (key) => key.NON_UNIQUE === 1)
      const references = foreign
        .filter((row) => row.TABLE_NAME === table)
        .map((row) => [
          row.CONSTRAINT_NAME,
          row.COLUMN_NAME,
          row.TARGET,
          `on delete ${row.DELETE_RULE.toLowerCase()}`,
          `on update ${row.UPDATE_RULE.toLowerCase()}`,
        ])
      return [
        table,
        {
          engine: ENGINE,
          collation: TABLE_COLLATION,
          columns: columns
            .filter((row) => row.TABLE_NAME === table)
            .map((row) => {
              const value = defaultOf(row)
              const otherCollation = row.COLLATION_NAME !== null && row.COLLATION_NAME !== TABLE_COLLATION
              return {
                name: row.COLUMN_NAME,
                type: row.COLUMN_TYPE,
                ...(row.IS_NULLABLE === 'YES' ? { null: true as const } : {}),
                ...(value === undefined ? {} : { default: value }),
                ...(row.EXTRA === '' ? {} : { extra: row.EXTRA }),
                ...(otherCollation ? { collation: row.COLLATION_NAME as string } : {}),
              }
            }),
          primary,
          ...(unique.length > 0 ? { unique } : {}),
          ...(plain.length > 0 ? { indexes: plain } : {}),
          ...(references.length > 0 ? { foreign: references } : {}),
        },
      ]
    }),
  )
}

const byName = (a: string[], b: string[]) => ((a[0] ?? '') < (b[0] ?? '') ? -1 : 1)

/** The facts without what is derived from other facts, lists of keys in one order. */
export const arranged = (table: Table): Table => ({
  ...table,
  columns: table.columns.map(({ keys: _derived, ...column }) => column),
  ...(table.unique ? { unique: table.unique.toSorted(byName) } : {}),
  ...(table.indexes ? { indexes: table.indexes.toSorted(byName) } : {}),
  ...(table.foreign ? { foreign: table.foreign.toSorted(byName) } : {}),
})

/** What the tables of the original are, by name. */
export async function originalTables(server: 'zms' | 'zts'): Promise<Record<string, Table>> {
  const file = join(import.meta.dirname, '../database/columns.json')
  return JSON.parse(await readFile(file, 'utf8'))[server] as Record<string, Table>
}
