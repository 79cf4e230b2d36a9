import type { MySqlConnection } from '../mysql-connection.ts'

/** What counts of a column when schemas are compared. */
export interface ColumnFacts {
  /** In small letters and without the widths that only some versions show: `varchar(512)`, `int unsigned`. */
  type: string
  hasDefault: boolean
  /** Whether a change of the row sets it to the time of the change. */
  isTouched: boolean
  /** Undefined for columns that hold no text. */
  collation: string | undefined
}

/** A key of a table; a column of which only a beginning is in the key is written `name(length)`. */
export interface IndexFacts {
  readonly columns: readonly string[]
  readonly unique: boolean
}

/** What counts of a table when schemas are compared. */
export interface TableFacts {
  readonly collation: string
  readonly columns: Map<string, ColumnFacts>
  /** Columns of the primary key; empty when there is none. */
  primary: readonly string[]
  /** The other keys by name. */
  readonly indexes: Map<string, IndexFacts>
}

/** Tables of a database by name. */
export type SchemaFacts = Map<string, TableFacts>

interface ColumnRow {
  table: string
  name: string
  type: string
  preset: string | null
  extra: string
  collation: string | null
}

interface KeyRow {
  table: string
  key: string
  plain: number
  name: string
  length: number | null
}

/** Reads the tables of the connection's database. */
export async function readSchema(connection: MySqlConnection): Promise<SchemaFacts> {
  const tables = await connection.rows<{ name: string; collation: string | null }>(
    `SELECT TABLE_NAME AS name, TABLE_COLLATION AS collation FROM information_schema.TABLES
     WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE'`,
  )
  const schema: SchemaFacts = new Map()
  for (const { name, collation } of tables) {
    schema.set(name, { collation: collation ?? '', columns: new Map(), primary: [], indexes: new Map() })
  }
  await readColumns(connection, schema)
  await readKeys(connection, schema)
  return schema
}

async function readColumns(connection: MySqlConnection, schema: SchemaFacts): Promise<void> {
  const columns = await connection.rows<ColumnRow>(
    `SELECT TABLE_NAME AS \`table\`, COLUMN_NAME AS name, COLUMN_TYPE AS type, COLUMN_DEFAULT AS preset, EXTRA AS extra,
            COLLATION_NAME AS collation
     FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() ORDER BY TABLE_NAME, ORDINAL_POSITION`,
  )
  for (const { table, name, type, preset, extra, collation } of columns) {
    schema.get(table)?.columns.set(name, {
      type: typeOf(type),
      // MariaDB writes the word NULL, MySQL gives none.
      hasDefault: preset !== null && preset !== 'NULL',
      isTouched: /on update/i.test(extra),
      collation: collation ?? undefined,
    })
  }
}

async function readKeys(connection: MySqlConnection, schema: SchemaFacts): Promise<void> {
  const parts = await connection.rows<KeyRow>(
    `SELECT TABLE_NAME AS \`table\`, INDEX_NAME AS \`key\`, NON_UNIQUE AS plain, COLUMN_NAME AS name, SUB_PART AS length
     FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE()
     ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX`,
  )
  for (const { table, key, plain, name, length } of parts) {
    const facts = schema.get(table)
    if (facts === undefined) continue
    const column = length === null ? name : `${name}(${length})`
    if (key === 'PRIMARY') facts.primary = [...facts.primary, column]
    else facts.indexes.set(key, { columns: [...(facts.indexes.get(key)?.columns ?? []), column], unique: plain === 0 })
  }
}

/** A type as it is compared. */
export function typeOf(text: string): string {
  return text.toLowerCase().replace(/\b(tinyint|smallint|mediumint|int|bigint)\(\d+\)/, '$1')
}

/** Greatest number of characters of a text column; undefined for other types. */
export function lengthOf(type: string): number | undefined {
  const match = /^varchar\((\d+)\)/i.exec(type)
  return match ? Number(match[1]) : undefined
}

/** A copy that may be changed. */
export function copySchema(schema: SchemaFacts): SchemaFacts {
  return new Map(
    [...schema].map(([name, { collation, columns, primary, indexes }]) => [
      name,
      {
        collation,
        columns: new Map([...columns].map(([column, facts]) => [column, { ...facts }])),
        primary,
        indexes: new Map(indexes),
      },
    ]),
  )
}
