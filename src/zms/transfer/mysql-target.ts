import { DatabaseError } from '#core/database/database-error.ts'
import { requireCurrentSchema } from '#core/database/migration/migrate-database.ts'
import { MySqlConnection, type MySqlSettings, type SqlValue } from '#core/database/mysql-connection.ts'
import { messageOf } from '#core/error/message-of.ts'
import { insertRows } from '../store/mysql/bulk.ts'
import type { FillOptions } from './data-location.ts'
import { RowOrder } from './row-order.ts'
import { type DataTable, type PortableRow, storedColumns, TABLES, type TableName, type TableRow } from './tables.ts'
import type { DataState, DataTarget } from './transfer.ts'
import { TransferError } from './transfer-error.ts'

/** What a database is filled with, and how. */
export interface MySqlTargetOptions extends Pick<FillOptions, 'state' | 'replace'> {
  readonly settings: MySqlSettings
}

/** Rows that are kept until they are written together. */
const BUFFERED_ROWS = 4000
/** Characters of rows that are kept, and that one statement has: servers refuse very long ones. */
const BUFFERED_CHARACTERS = 1024 * 1024

const LOCK = 'athenz_schema_migration_zms'
const LOCK_SECONDS = 10

/**
 * A MySQL or MariaDB database that gets all its data in one transaction: whatever happens before its end, the database is
 * as it was. Keys of rows stay what they are.
 * @throws TransferError when it is not empty and is not to be replaced; MigrationError when its schema is not that of this
 *   program
 */
export async function openMySqlTarget(options: MySqlTargetOptions): Promise<DataTarget> {
  const { settings, state, replace } = options
  const connection = await MySqlConnection.open(settings)
  try {
    const [lock] = await connection.rows<{ granted: number | null }>('SELECT GET_LOCK(?, ?) AS granted', [
      LOCK,
      LOCK_SECONDS,
    ])
    if (lock?.granted !== 1) throw new TransferError('another process changes the schema or imports data')
    await requireCurrentSchema(connection, 'zms', { allowUnknownColumns: true })
    const filled = await filledTable(connection)
    if (filled !== undefined && !replace) {
      throw new TransferError(
        `${settings.database} holds data (table ${filled}): name an empty database, or replace them with --replace`,
      )
    }
    // This would end a transaction, so it comes before. Ids that were given are not given again, whatever happens.
    await setNextAssertionId(connection, state)
    await connection.script('SET autocommit = 0')
    if (filled !== undefined) await deleteAll(connection)
    return new MySqlTarget(connection, state)
  } catch (error) {
    connection.close()
    throw error
  }
}

const setNextAssertionId = (connection: MySqlConnection, { lastAssertionId }: DataState) =>
  connection.statement(`ALTER TABLE assertion AUTO_INCREMENT = ${lastAssertionId + 1}`)

async function filledTable(connection: MySqlConnection): Promise<TableName | undefined> {
  for (const table of TABLES.keys()) {
    const rows = await connection.rows(`SELECT 1 AS found FROM ${table} LIMIT 1`)
    if (rows.length > 0) return table
  }
  return undefined
}

async function deleteAll(connection: MySqlConnection): Promise<void> {
  for (const table of [...TABLES.keys()].toReversed()) await connection.change(`DELETE FROM ${table}`, [])
}

class MySqlTarget implements DataTarget {
  readonly #connection: MySqlConnection
  readonly #order = new RowOrder()
  readonly #buffers = new Map<TableName, PortableRow[]>()
  readonly #state: DataState
  #rows = 0
  #characters = 0

  constructor(connection: MySqlConnection, state: DataState) {
    this.#connection = connection
    this.#state = state
  }

  async add(rows: readonly TableRow[]): Promise<void> {
    for (const each of rows) {
      this.#order.check(each)
      const { table, row } = each
      const buffer = this.#buffers.get(table)
      if (buffer) buffer.push(row)
      else this.#buffers.set(table, [row])
      this.#rows++
      this.#characters += charactersOf(row)
      if (this.#rows >= BUFFERED_ROWS || this.#characters >= BUFFERED_CHARACTERS) await this.#flush()
    }
  }

  async commit(): Promise<void> {
    await this.#flush()
    await this.#connection.script('COMMIT')
    // Data that were there before may have had greater ids.
    await setNextAssertionId(this.#connection, this.#state)
  }

  async close(): Promise<void> {
    // The server rolls back what was not committed.
    this.#connection.close()
  }

  /** Writes what is kept; holders before what they hold. */
  async #flush(): Promise<void> {
    for (const [name, table] of TABLES) {
      const rows = this.#buffers.get(name)
      if (rows) await this.#insert(table, rows)
    }
    this.#buffers.clear()
    ;[this.#rows, this.#characters] = [0, 0]
  }

  async #insert(table: DataTable, rows: readonly PortableRow[]): Promise<void> {
    const columns = storedColumns(table)
    const into = `${table.name} (${columns.map((column) => `\`${column}\``).join(', ')})`
    for (const piece of piecesOf(rows)) {
      const values = piece.map((row) => columns.map((column) => sqlValue(table, column, row)))
      await this.#connection.script('SAVEPOINT piece')
      try {
        await insertRows(this.#connection, into, values)
      } catch (error) {
        throw await this.#explained(error, { table, into, piece, values })
      }
    }
  }

  /** Finds the row that the database did not take, by trying those of the piece one by one. */
  async #explained(
    error: unknown,
    {
      table,
      into,
      piece,
      values,
    }: {
      table: DataTable
      into: string
      piece: readonly PortableRow[]
      values: readonly (readonly SqlValue[])[]
    },
  ): Promise<unknown> {
    if (!(error instanceof DatabaseError) || !this.#connection.usable) return error
    await this.#connection.script('ROLLBACK TO SAVEPOINT piece')
    for (const [index, row] of values.entries()) {
      try {
        await insertRows(this.#connection, into, [row])
      } catch (failure) {
        const reason = messageOf(failure)
        return new TransferError(`the database does not take ${describe(table, piece[index])}: ${reason}`, failure)
      }
    }
    return error
  }
}

function sqlValue({ columns }: DataTable, column: string, row: PortableRow): SqlValue {
  const value = row[column] ?? null
  if (typeof value !== 'string') return value
  switch (columns.get(column)) {
    case 'time':
    case 'nullableTime':
      return new Date(value)
    case 'second':
      // Some databases would round up.
      return new Date(Math.floor(Date.parse(value) / MILLIS_PER_SECOND) * MILLIS_PER_SECOND)
    default:
      return value
  }
}

const MILLIS_PER_SECOND = 1000

/** What names a row for people, without texts that are long or secret. */
function describe({ name, columns }: DataTable, row: PortableRow | undefined): string {
  const shown = [...columns.keys()].filter((column) => SHOWN.has(column) && row?.[column] !== undefined)
  return `${name} ${shown.map((column) => `${column} ${JSON.stringify(row?.[column])}`).join(', ')}`
}

const SHOWN: ReadonlySet<string> = new Set([
  'name',
  'version',
  'key',
  'type',
  'template',
  'principal',
  'host',
  'key_id',
  'domain_id',
  'role_id',
  'group_id',
  'policy_id',
  'service_id',
  'assertion_id',
  'domain',
  'service',
])

function charactersOf(row: PortableRow): number {
  let characters = 0
  for (const value of Object.values(row)) characters += typeof value === 'string' ? value.length : 8
  return characters
}

/** Rows in pieces that fit into a statement; one that is longer by itself is a piece of its own. */
function* piecesOf(rows: readonly PortableRow[]): Generator<readonly PortableRow[]> {
  let piece: PortableRow[] = []
  let characters = 0
  for (const row of rows) {
    const more = charactersOf(row)
    if (piece.length > 0 && characters + more > BUFFERED_CHARACTERS) {
      yield piece
      ;[piece, characters] = [[], 0]
    }
    piece.push(row)
    characters += more
  }
  if (piece.length > 0) yield piece
}
