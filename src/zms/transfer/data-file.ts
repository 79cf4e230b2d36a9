import { createHash, type Hash } from 'node:crypto'
import { type ColumnKind, type DataTable, type PortableRow, TABLES, type TableName, type TableRow } from './tables.ts'
import type { DataState } from './transfer.ts'
import { TransferError } from './transfer-error.ts'

/**
 * The portable file: lines of JSON in UTF-8. The first is `{"format":"athenz-zms-data","version":1,…}` with the state,
 * then follows a line `{"TABLE":{COLUMN:VALUE,…}}` for every row, and at the end `{"rows":N,"sha256":"…"}` with the digest
 * of all bytes before. The same data give the same bytes.
 */
const FORMAT = 'athenz-zms-data'
const VERSION = 1

/** Characters of lines that are put together before they are written. */
const PIECE_CHARACTERS = 256 * 1024
/** Rows that are read before they are handed on. */
const PIECE_ROWS = 500
/** No line is longer: the longest text takes 16 MiB, six characters each at worst. */
const LONGEST_LINE = 128 * 1024 * 1024

/** The bytes of a portable file. */
export async function* writeDataFile(
  state: DataState,
  rows: AsyncIterable<readonly TableRow[]>,
): AsyncGenerator<Buffer> {
  const hash = createHash('sha256')
  const hashed = (text: string): Buffer => {
    const bytes = Buffer.from(text)
    hash.update(bytes)
    return bytes
  }
  const { lastAssertionId, lastModified } = state
  yield hashed(`${JSON.stringify({ format: FORMAT, version: VERSION, lastAssertionId, lastModified })}\n`)
  let count = 0
  let text = ''
  for await (const piece of rows) {
    for (const { table, row } of piece) {
      text += `{"${table}":${JSON.stringify(row)}}\n`
      count++
      if (text.length < PIECE_CHARACTERS) continue
      yield hashed(text)
      text = ''
    }
  }
  yield hashed(text)
  yield Buffer.from(`${JSON.stringify({ rows: count, sha256: hash.digest('hex') })}\n`)
}

/** A portable file whose first line was read. */
export interface DataFile {
  readonly state: DataState
  /** The rows in pieces, checked one by one, and at the end all of them by the digest. */
  rows(): AsyncGenerator<readonly TableRow[]>
}

/**
 * Reads a portable file.
 * @throws TransferError, here or from the rows, when it is none, is not of this version, was cut short or altered
 */
export async function readDataFile(chunks: AsyncIterable<Buffer>): Promise<DataFile> {
  const hash = createHash('sha256')
  const lines = linesOf(chunks)
  const first = await lines.next()
  if (first.done) throw new TransferError('the file is empty')
  const state = stateOf(first.value)
  hash.update(first.value).update('\n')
  return { state, rows: () => readRows(lines, hash) }
}

function stateOf(line: Buffer): DataState {
  const header = parseLine(line, 1)
  if (header['format'] !== FORMAT) throw new TransferError('this is no file that athenz export wrote')
  if (header['version'] !== VERSION) {
    throw new TransferError(`the file has format version ${String(header['version'])}, this program knows ${VERSION}`)
  }
  const { lastAssertionId, lastModified } = header
  if (!isCount(lastAssertionId) || !isCount(lastModified)) throw new TransferError('line 1: the state is not complete')
  return { lastAssertionId, lastModified }
}

async function* readRows(lines: AsyncGenerator<Buffer>, hash: Hash): AsyncGenerator<readonly TableRow[]> {
  let piece: TableRow[] = []
  let count = 0
  for await (const line of lines) {
    const number = count + 2
    const members = parseLine(line, number)
    if (Object.hasOwn(members, 'sha256')) {
      if (piece.length > 0) yield piece
      const { done } = await lines.next()
      if (!done) throw new TransferError(`line ${number + 1}: there is something behind the end`)
      if (members['rows'] !== count || members['sha256'] !== hash.digest('hex')) {
        throw new TransferError('the file was altered: its digest at the end is another')
      }
      return
    }
    hash.update(line).update('\n')
    piece.push(tableRowOf(members, number))
    count++
    if (piece.length < PIECE_ROWS) continue
    yield piece
    piece = []
  }
  throw new TransferError(`the file ends before its end, after ${count} rows`)
}

function tableRowOf(members: Readonly<Record<string, unknown>>, line: number): TableRow {
  const [name = '', ...others] = Object.keys(members)
  const table = TABLES.get(name as TableName)
  if (table === undefined || others.length > 0) throw new TransferError(`line ${line}: ${name} is no table`)
  return { table: table.name, row: rowOf(table, members[name], line) }
}

function rowOf(table: DataTable, value: unknown, line: number): PortableRow {
  if (typeof value !== 'object' || value === null)
    throw new TransferError(`line ${line}: ${table.name} without columns`)
  const given = value as Readonly<Record<string, unknown>>
  const unknown = Object.keys(given).find((name) => !table.columns.has(name))
  if (unknown !== undefined) throw new TransferError(`line ${line}: ${table.name} has no column ${unknown}`)
  for (const [name, kind] of table.columns) {
    if (!Object.hasOwn(given, name)) throw new TransferError(`line ${line}: ${table.name}.${name} is missing`)
    if (!fits(kind, given[name])) {
      throw new TransferError(
        `line ${line}: ${table.name}.${name} is no ${WORDS[kind]}: ${JSON.stringify(given[name])}`,
      )
    }
  }
  return given as PortableRow
}

const WORDS: Readonly<Record<ColumnKind, string>> = {
  number: 'whole number',
  text: 'text',
  time: 'time',
  second: 'time',
  nullableText: 'text or null',
  nullableTime: 'time or null',
}

function fits(kind: ColumnKind, value: unknown): boolean {
  switch (kind) {
    case 'number':
      return Number.isSafeInteger(value)
    case 'text':
      return typeof value === 'string'
    case 'nullableText':
      return typeof value === 'string' || value === null
    case 'time':
    case 'second':
      return isTime(value)
    case 'nullableTime':
      return isTime(value) || value === null
    default:
      return kind satisfies never
  }
}

function isTime(value: unknown): boolean {
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value)) return false
  const time = Date.parse(value)
  return !Number.isNaN(time) && new Date(time).toISOString() === value
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

function parseLine(line: Buffer, number: number): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line.toString())
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // Said below.
  }
  throw new TransferError(number === 1 ? 'this is no file that athenz export wrote' : `line ${number} is not readable`)
}

const LINE_FEED = 10

/** Lines without their line feeds; a last one that has none counts too. */
async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let begun: Buffer[] = []
  let length = 0
  for await (const chunk of chunks) {
    let from = 0
    for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, from)) {
      yield Buffer.concat([...begun, chunk.subarray(from, at)])
      ;[begun, length] = [[], 0]
      from = at + 1
    }
    if (from === chunk.length) continue
    begun.push(chunk.subarray(from))
    length += chunk.length - from
    if (length > LONGEST_LINE) throw new TransferError('this is no file that athenz export wrote: a line is too long')
  }
  if (begun.length > 0) yield Buffer.concat(begun)
}
