import { requireCurrentSchema } from '#core/database/migration/migrate-database.ts'
import { MySqlConnection, type MySqlSettings } from '#core/database/mysql-connection.ts'
import { inText } from './in-text.ts'
import { byText, type DataTable, type PortableValue, type TableName, type TableRow, tableOf } from './tables.ts'
import type { DataSource, DataState } from './transfer.ts'
import { TransferError } from './transfer-error.ts'

/** Rows of a table that belongs to no domain that are asked for at once. */
const PAGE_ROWS = 10_000
/** Rows of members, history and assertions that are asked for at once, unless one role or policy has more. */
const BATCH_ROWS = 20_000

/**
 * The data of a MySQL or MariaDB database as they are at this moment; servers may go on with it meanwhile.
 * @throws MigrationError when its schema is not that of this program
 */
export async function openMySqlSource(
  settings: MySqlSettings,
  options: { readonly allowUnknownColumns?: boolean } = {},
): Promise<DataSource> {
  const setup = 'SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ'
  const connection = await MySqlConnection.open(settings, setup)
  try {
    await requireCurrentSchema(connection, 'zms', options)
    await connection.script('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY')
    return new MySqlSource(connection, await readState(connection))
  } catch (error) {
    connection.close()
    throw error
  }
}

async function readState(connection: MySqlConnection): Promise<DataState> {
  const [[row] = []] = (await connection.script('SELECT MAX(modified) AS last FROM domain')) as {
    last: Date | null
  }[][]
  const [[table] = []] = (await connection.script('SHOW CREATE TABLE assertion')) as Record<string, string>[][]
  // What information_schema says of it may be a day old.
  const next = Number(/\bAUTO_INCREMENT=(\d+)/.exec(table?.['Create Table'] ?? '')?.[1] ?? 1)
  return { lastAssertionId: next - 1, lastModified: row?.last?.getTime() ?? 0 }
}

type DatabaseRow = Readonly<Record<string, unknown>>

class MySqlSource implements DataSource {
  readonly state: DataState
  readonly #connection: MySqlConnection

  constructor(connection: MySqlConnection, state: DataState) {
    this.#connection = connection
    this.state = state
  }

  async *rows(): AsyncGenerator<readonly TableRow[]> {
    yield* this.#pages('principal', ['name'])
    yield* this.#pages('host', ['name'])
    yield* this.#pages('service_domain_dependency', ['domain', 'service'])
    const domains = await this.#query<{ id: number; name: string }>('SELECT domain_id AS id, name FROM domain')
    domains.sort((a, b) => byText(a.name, b.name))
    for (const { id } of domains) yield* this.#domain(id)
  }

  async close(): Promise<void> {
    this.#connection.close()
  }

  async *#pages(table: TableName, order: readonly string[]): AsyncGenerator<readonly TableRow[]> {
    const by = order.map((column) => `CAST(${column} AS BINARY)`).join(', ')
    for (let offset = 0; ; offset += PAGE_ROWS) {
      const rows = await this.#query<DatabaseRow>(
        `SELECT ${selectedColumns(tableOf(table))} FROM ${table} ORDER BY ${by} LIMIT ${PAGE_ROWS} OFFSET ${offset}`,
      )
      yield rows.map((row) => portableRow(table, row))
      if (rows.length < PAGE_ROWS) return
    }
  }

  async *#domain(id: number): AsyncGenerator<readonly TableRow[]> {
    const tables = ['domain', 'domain_tags', 'domain_contacts', 'domain_template', 'quota'] as const
    const holders = ['role', 'principal_group', 'policy', 'service', 'entity'] as const
    const all = [...tables, ...holders]
    const results = await this.#connection.script(
      all.map(selectOfDomain).join(';'),
      all.map(() => id),
    )
    const found = new Map(all.map((table, index) => [table as TableName, (results[index] ?? []) as DatabaseRow[]]))
    const rowsOf = (table: TableName) => sortedRows(table, found.get(table) ?? [])
    yield tables.flatMap(rowsOf)
    yield* this.#held('role', rowsOf('role'), ['role_tags', 'role_member', 'pending_role_member', 'role_audit_log'])
    yield* this.#held('principal_group', rowsOf('principal_group'), [
      'group_tags',
      'principal_group_member',
      'pending_principal_group_member',
      'principal_group_audit_log',
    ])
    yield* this.#held('policy', rowsOf('policy'), ['policy_tags', 'assertion'])
    yield* this.#held('service', rowsOf('service'), ['service_tags', 'public_key', 'service_host'])
    yield rowsOf('entity')
  }

  /** Rows of one table, each followed by what it holds. */
  async *#held(
    table: TableName,
    owners: readonly TableRow[],
    children: readonly TableName[],
  ): AsyncGenerator<readonly TableRow[]> {
    const key = tableOf(table).key as string
    for await (const batch of this.#batches(key, owners, children)) {
      const ids = batch.map(({ row }) => row[key] as number)
      const held = new Map<TableName, Map<PortableValue | undefined, TableRow[]>>()
      for (const child of children) held.set(child, await this.#children(child, key, ids))
      const conditions = children.includes('assertion') ? await this.#conditions(held.get('assertion')) : undefined
      yield batch.flatMap((owner) => [
        owner,
        ...children.flatMap((child) =>
          (held.get(child)?.get(owner.row[key]) ?? []).flatMap((row) => [
            row,
            ...(child === 'assertion' ? (conditions?.get(row.row['assertion_id']) ?? []) : []),
          ]),
        ),
      ])
    }
  }

  /** Cuts owners so that not too many rows are read at once. */
  async *#batches(
    key: string,
    owners: readonly TableRow[],
    children: readonly TableName[],
  ): AsyncGenerator<readonly TableRow[]> {
    if (owners.length === 0) return
    const counts = new Map<number, number>()
    const ids = owners.map(({ row }) => row[key] as number)
    for (const child of children) {
      for (const list of inText(ids)) {
        const rows = await this.#query<{ id: number; count: number }>(
          `SELECT ${key} AS id, COUNT(*) AS count FROM ${child} WHERE ${key} IN (${list}) GROUP BY ${key}`,
        )
        for (const { id, count } of rows) counts.set(id, (counts.get(id) ?? 0) + count)
      }
    }
    let batch: TableRow[] = []
    let size = 0
    for (const owner of owners) {
      const count = 1 + (counts.get(owner.row[key] as number) ?? 0)
      if (batch.length > 0 && size + count > BATCH_ROWS) {
        yield batch
        ;[batch, size] = [[], 0]
      }
      batch.push(owner)
      size += count
    }
    yield batch
  }

  async #children(
    table: TableName,
    key: string,
    ids: readonly number[],
  ): Promise<Map<PortableValue | undefined, TableRow[]>> {
    const found: DatabaseRow[] = []
    for (const list of inText(ids)) {
      const from = `${table} t${joinsOf(tableOf(table))}`
      const sql = `SELECT ${selectedColumns(tableOf(table), 't')} FROM ${from} WHERE t.${key} IN (${list})`
      for (const row of await this.#query<DatabaseRow>(sql)) found.push(row)
    }
    return Map.groupBy(sortedRows(table, found), ({ row }) => row[key])
  }

  async #conditions(assertions: ReadonlyMap<unknown, readonly TableRow[]> | undefined) {
    const ids = [...(assertions?.values() ?? [])].flat().map(({ row }) => row['assertion_id'] as number)
    return this.#children('assertion_condition', 'assertion_id', ids)
  }

  async #query<Row>(sql: string): Promise<Row[]> {
    const [rows = []] = await this.#connection.script(sql)
    return rows as Row[]
  }
}

const selectOfDomain = (table: TableName) =>
  `SELECT ${selectedColumns(tableOf(table))} FROM ${table} WHERE domain_id = ?`

/** Columns for a SELECT; names that take the place of keys come from their tables. */
function selectedColumns({ columns, names = {} }: DataTable, alias?: string): string {
  const prefix = alias === undefined ? '' : `${alias}.`
  return [...columns.keys()]
    .map((column) => {
      const other = Object.hasOwn(names, column) ? names[column] : undefined
      return other === undefined ? `${prefix}\`${column}\`` : `${other.table}.name AS \`${column}\``
    })
    .join(', ')
}

const joinsOf = ({ names = {} }: DataTable): string =>
  Object.values(names)
    .map(({ table, key }) => ` JOIN ${table} ON ${table}.${key} = t.${key}`)
    .join('')

function portableRow(table: TableName, values: DatabaseRow): TableRow {
  const row: Record<string, PortableValue> = {}
  for (const column of tableOf(table).columns.keys()) row[column] = portableValue(table, column, values[column])
  return { table, row }
}

function portableValue(table: TableName, column: string, value: unknown): PortableValue {
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw new TransferError(`${table}.${column} has a time that is none: correct it`)
    return value.toISOString()
  }
  if (typeof value === 'string' || typeof value === 'number' || value === null) return value
  throw new TransferError(`${table}.${column} has a value of an unknown type`)
}

/** Columns by which rows of a table are in order, within what holds them. */
const ORDER: Readonly<Partial<Record<TableName, readonly string[]>>> = {
  domain_tags: ['key', 'value'],
  role_tags: ['key', 'value'],
  group_tags: ['key', 'value'],
  policy_tags: ['key', 'value'],
  service_tags: ['key', 'value'],
  domain_contacts: ['type'],
  domain_template: ['template'],
  role: ['name'],
  principal_group: ['name'],
  policy: ['name', 'version'],
  service: ['name'],
  entity: ['name'],
  role_member: ['principal'],
  pending_role_member: ['principal'],
  principal_group_member: ['principal'],
  pending_principal_group_member: ['principal'],
  role_audit_log: ['audit_log_id'],
  principal_group_audit_log: ['audit_log_id'],
  assertion: ['assertion_id'],
  assertion_condition: ['condition_id', 'key'],
  public_key: ['key_id'],
  service_host: ['host'],
}

function sortedRows(table: TableName, rows: readonly DatabaseRow[]): TableRow[] {
  const order = ORDER[table] ?? []
  return rows
    .map((row) => portableRow(table, row))
    .sort((a, b) => {
      for (const column of order) {
        const result = compare(a.row[column], b.row[column])
        if (result !== 0) return result
      }
      return 0
    })
}

function compare(a: PortableValue | undefined, b: PortableValue | undefined): number {
  return typeof a === 'string' && typeof b === 'string' ? byText(a, b) : Number(a) - Number(b)
}
