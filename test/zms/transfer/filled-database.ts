import { join } from 'node:path'
import type { MariaDb } from '../../support/mariadb.ts'
import { type Column, originalTables, type Table } from '../../support/table-facts.ts'

const root = join(import.meta.dirname, '../../..')
export const ZMS_SCHEMA = join(root, 'schema/zms_server.sql')
const ORIGINAL_ROWS = join(root, 'test/database/original-data.sql')

/** Key of the rows that are made up; greater than those of the original's rows. */
const KEY = 900_000

/** Values that mean something, where not any of the type will do. */
const VALUES: Readonly<Record<string, unknown>> = {
  'assertion.effect': 'DENY',
  'role_audit_log.action': 'REQUEST',
  'principal_group_audit_log.action': 'REJECT',
  'role_member.system_disabled': 5,
  'principal_group_member.system_disabled': 3,
  'pending_role_member.pending_state': 'DELETE',
  'pending_principal_group_member.pending_state': 'DELETE',
  'principal.system_suspended': 6,
  'policy.version': 'v.full',
}

/** A database with all rows that the original wrote, and with rows that have a value of their own in every column. */
export async function filledDatabase(db: MariaDb): Promise<string> {
  const database = await db.freshDatabase(ZMS_SCHEMA)
  await db.load(database, ORIGINAL_ROWS)
  const tables = await originalTables('zms')
  for (const [name, table] of Object.entries(tables)) {
    const row = Object.entries(fullRow(name, table))
    await db.query(
      `INSERT INTO ${database}.\`${name}\` (${row.map(([column]) => `\`${column}\``).join(', ')})
       VALUES (${row.map(() => '?').join(', ')})`,
      row.map(([, value]) => value),
    )
  }
  return database
}

function fullRow(name: string, { columns, foreign = [] }: Table): Record<string, unknown> {
  const keys = new Set(foreign.map(([, column]) => column))
  return Object.fromEntries(
    columns.map((column, index) => [column.name, keys.has(column.name) ? KEY : valueOf(name, column, index)]),
  )
}

function valueOf(table: string, { name, type, extra }: Column, index: number): unknown {
  const given = VALUES[`${table}.${name}`]
  if (given !== undefined) return given
  if (extra === 'auto_increment') return KEY
  if (name === 'resource_owner') return `object:${table}-tool,meta:${table}-other`
  const seconds = new Date(Date.UTC(2031, 0, 1 + index, 12, 30, 15)).toISOString().slice(0, 19).replace('T', ' ')
  switch (/^\w+/.exec(type)?.[0]) {
    case 'datetime':
      return type === 'datetime(3)' ? `${seconds}.${String(100 + index)}` : seconds
    case 'tinyint':
      return 1
    case 'int':
      return 40 + index
    case 'mediumtext':
      return `{"${name}":"${'längerer Text, "zitiert" \\ und\nmehrzeilig '.repeat(20)}"}`
    default: {
      const length = Number(/\d+/.exec(type)?.[0])
      return `${table}.${name}`.slice(0, length)
    }
  }
}

/** All rows of all tables of ZMS, each as JSON, sorted: what a dump has. */
export async function dumpOf(db: MariaDb, database: string): Promise<string[]> {
  const lines: string[] = []
  for (const [name, { columns }] of Object.entries(await originalTables('zms'))) {
    const names = columns.map((column) => `\`${column.name}\``).join(', ')
    const rows = await db.query(`SELECT ${names} FROM ${database}.\`${name}\``)
    for (const row of rows) lines.push(`${name} ${JSON.stringify(row)}`)
  }
  return lines.sort()
}

/** Columns (`table.column`) that have nothing but NULL, '' or 0 in all rows, or their default. */
export async function unusedColumns(db: MariaDb, database: string): Promise<string[]> {
  const unused: string[] = []
  for (const [name, { columns }] of Object.entries(await originalTables('zms'))) {
    for (const column of columns) {
      const [used] = await db.query<{ n: number }>(
        `SELECT COUNT(*) AS n FROM ${database}.\`${name}\`
         WHERE \`${column.name}\` IS NOT NULL AND \`${column.name}\` NOT IN ('', '0')`,
      )
      if (used?.n === 0) unused.push(`${name}.${column.name}`)
    }
  }
  return unused
}
