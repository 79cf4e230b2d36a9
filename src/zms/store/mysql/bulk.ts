import type { MySqlConnection, SqlValue } from '#core/database/mysql-connection.ts'
import { places } from './columns.ts'

/**
 * Statements over any number of values. Every size of a list would be a prepared statement of its own, so lists are cut
 * into pieces of a few sizes.
 */

/** Rows of one INSERT: many rows take few round trips, and a table needs no more statements than there are sizes. */
const ROW_SIZES = [128, 16, 4, 1] as const
/** Elements of one IN list, which is filled up by repeating the last one. */
const LIST_SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256] as const
/** Most different values of one list. */
export const LONGEST_LIST = 256

/** Inserts rows: `INSERT INTO {into} VALUES (…), (…) {tail}`. Gives the key that the first row got, if it got one. */
export async function insertRows(
  connection: MySqlConnection,
  into: string,
  rows: readonly (readonly SqlValue[])[],
  tail = '',
): Promise<number> {
  let firstId = 0
  for (let at = 0; at < rows.length; ) {
    const size = ROW_SIZES.find((each) => each <= rows.length - at) ?? 1
    const piece = rows.slice(at, at + size)
    const row = `(${places(piece[0]?.length ?? 0)})`
    const sql = `INSERT INTO ${into} VALUES ${Array.from({ length: size }, () => row).join(', ')} ${tail}`
    const { insertId } = await connection.change(sql, piece.flat())
    if (at === 0) firstId = insertId
    at += size
  }
  return firstId
}

/** Values for `IN (…)`, with their places; the last value may be there several times. */
export interface InList<T> {
  readonly places: string
  readonly values: readonly T[]
}

const LIST_PLACES = listStatements((list) => list)

/** Cuts values into lists for `IN (…)`. */
export function* inLists<T extends SqlValue>(values: readonly T[]): Generator<InList<T>> {
  for (let at = 0; at < values.length; at += LONGEST_LIST) {
    const piece = values.slice(at, at + LONGEST_LIST)
    const size = LIST_SIZES.find((each) => each >= piece.length) ?? LONGEST_LIST
    const last = piece.at(-1) as T
    while (piece.length < size) piece.push(last)
    yield { places: LIST_PLACES.get(size) as string, values: piece }
  }
}

/**
 * The texts of a statement with a list, by the length of the list, for a statement that is run all the time: the driver
 * finds what it has prepared by the text, and a new one would have to be put together and hashed each time.
 */
export function listStatements(text: (places: string) => string): ReadonlyMap<number, string> {
  return new Map(LIST_SIZES.map((size) => [size, text(places(size))]))
}

/** A table of names that only grows: rows are referred to by their key. */
export interface NameTable {
  readonly table: string
  readonly id: string
}
export const PRINCIPALS: NameTable = { table: 'principal', id: 'principal_id' }
export const HOSTS: NameTable = { table: 'host', id: 'host_id' }

/** Keys of the names that the table has, by lower-case name. */
export async function idsOfNames(
  connection: MySqlConnection,
  { table, id }: NameTable,
  names: readonly string[],
): Promise<Map<string, number>> {
  const ids = new Map<string, number>()
  for (const list of inLists(names)) {
    // A locking read, because others may have added a name since this transaction began.
    const rows = await connection.rows<{ id: number; name: string }>(
      `SELECT ${id} AS id, name FROM ${table} WHERE name IN (${list.places}) LOCK IN SHARE MODE`,
      list.values,
    )
    for (const row of rows) ids.set(row.name.toLowerCase(), row.id)
  }
  return ids
}

/** Adds a name that the table most likely does not have. */
export async function addName(connection: MySqlConnection, { table }: NameTable, name: string): Promise<void> {
  await connection.change(`INSERT INTO ${table} (name) VALUES (?) ON DUPLICATE KEY UPDATE name = name`, [name])
}

/** Keys of all the names; those that the table does not have are added. */
export async function ensureNames(
  connection: MySqlConnection,
  names: NameTable,
  wanted: readonly string[],
): Promise<Map<string, number>> {
  const known = await idsOfNames(connection, names, wanted)
  // In one order everywhere, so that two transactions that add the same names do not wait for each other in a circle.
  const missing = [...new Set(wanted)].filter((name) => !known.has(name)).sort()
  if (missing.length === 0) return known
  const rows = missing.map((name) => [name])
  await insertRows(connection, `${names.table} (name)`, rows, 'ON DUPLICATE KEY UPDATE name = name')
  for (const [name, id] of await idsOfNames(connection, names, missing)) known.set(name, id)
  return known
}
