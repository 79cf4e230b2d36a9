import type { FileSystem } from '../seam/file-system.ts'
import { DamageError } from './damage-error.ts'
import { type Frame, findFrame, readFrame } from './frame.ts'
import { type JournalEnd, type JournalHeader, journalFile, numberOf } from './journal.ts'

/** A transaction as the journal has it. */
export interface LoggedTransaction {
  readonly sequence: number
  /** Stamp of objects in epoch milliseconds. */
  readonly at: number
  /** Stamp of domains. */
  readonly stamp: number
  /** Changes as JSON. */
  readonly changes: readonly object[]
}

/** What reading the journal came to. */
export interface Replay {
  /** Undefined when there are no files. */
  readonly end: JournalEnd | undefined
  /** The last file is to be cut to `end.bytes`: behind it is room, or a write that was torn. */
  readonly cut: boolean
  /** What was found incomplete, for people; none of it was ever acknowledged. */
  readonly recovered: readonly string[]
}

/** One file of the journal, not yet judged. */
interface JournalFile {
  readonly path: string
  readonly number: number
  /** Without the room behind the frames. */
  readonly data: Buffer
  readonly hasRoom: boolean
  readonly header: JournalHeader
  readonly first: number
  /** Where the frames behind the header begin. */
  readonly start: number
}

/**
 * Reads all transactions of the journal in order and calls `apply` with each. `known`: every transaction up to this sequence
 * is in the documents, so the journal must begin at the next one at the latest.
 * @throws DamageError when something that was acknowledged cannot be read
 */
export async function replayJournal(
  options: { folder: string; fileSystem: FileSystem; known: number },
  apply: (transaction: LoggedTransaction) => void,
): Promise<Replay> {
  const { folder, fileSystem, known } = options
  const names = await fileSystem.list(folder)
  const numbers = names.map(numberOf).filter((number) => !Number.isNaN(number))
  numbers.sort((a, b) => a - b)
  const recovered: string[] = []
  const files: JournalFile[] = []
  for (const number of numbers) {
    const path = journalFile(folder, number)
    const content = await fileSystem.readFile(path)
    const file = openFile(path, number, content)
    if ('reason' in file) {
      // A file whose very beginning is incomplete was never used; only the last one can be such.
      if (number !== numbers.at(-1) || findFrame(content, file) !== undefined)
        throw new DamageError(path, 0, file.reason)
      await fileSystem.remove(path)
      recovered.push(`${path} was just being created and is removed`)
    } else files.push(file)
  }
  if (files.length === 0) return { end: undefined, cut: false, recovered }

  checkOrder(files, known)
  let sequence = (files[0] as JournalFile).first - 1
  let stamp = 0
  let end = { number: 0, bytes: 0 }
  let cut = false
  for (const [index, file] of files.entries()) {
    const limit = files[index + 1]?.header.previous.bytes ?? file.data.length
    const used = readBatches(file, limit, index === files.length - 1, (transaction) => {
      if (transaction.sequence !== sequence + 1) {
        throw new DamageError(file.path, 0, `transaction ${sequence + 1} is missing before ${transaction.sequence}`)
      }
      sequence = transaction.sequence
      stamp = Math.max(stamp, transaction.stamp)
      apply(transaction)
    })
    end = { number: file.number, bytes: used }
    cut = used < limit || file.hasRoom
    if (used < limit) {
      recovered.push(`${file.path}: an incomplete write of ${limit - used} bytes at byte ${used} is cut off`)
    }
  }
  return { end: { ...end, sequence, stamp }, cut, recovered }
}

/** Frames end with a line feed: zeros behind the last one are room for more. */
function withoutRoom(content: Buffer): Buffer {
  let end = content.length
  while (end > 0 && content[end - 1] === 0) end--
  return content.subarray(0, end)
}

function openFile(path: string, number: number, content: Buffer): JournalFile | { offset: number; reason: string } {
  const data = withoutRoom(content)
  const read = readFrame(data, 0)
  if (!('frame' in read)) return read
  if (read.frame.kind !== 'journal') return { offset: 0, reason: 'the beginning is missing' }
  const header = JSON.parse(read.frame.content) as JournalHeader
  if (header.version !== 1) throw new Error(`${path} was written by a newer version of this program`)
  if (header.number !== number) throw new DamageError(path, 0, `this is the journal file ${header.number}`)
  const hasRoom = data.length < content.length
  return { path, number, data, hasRoom, header, first: read.frame.sequence, start: read.next }
}

/** Every file is there from the one with the first transaction that is not known otherwise. */
function checkOrder(files: readonly JournalFile[], known: number): void {
  const [first, ...others] = files as [JournalFile, ...JournalFile[]]
  if (first.first > known + 1) {
    throw new DamageError(first.path, 0, `the journal files with the transactions from ${known + 1} on are missing`)
  }
  let former = first
  for (const file of others) {
    const { number, bytes } = file.header.previous
    if (number !== former.number) throw new DamageError(file.path, 0, `the journal file ${number} before it is missing`)
    if (bytes > former.data.length) {
      throw new DamageError(former.path, former.data.length, `it had ${bytes} bytes when it was left`)
    }
    former = file
  }
}

/** Calls `apply` with the transactions of a file up to `limit`; gives the place behind the last whole frame. */
function readBatches(
  file: JournalFile,
  limit: number,
  isLast: boolean,
  apply: (transaction: LoggedTransaction) => void,
): number {
  const data = file.data.subarray(0, limit)
  let at = file.start
  while (at < data.length) {
    const read = readFrame(data, at)
    if (!('frame' in read)) {
      // Every write waits until the one before is durable: only the last of all can be incomplete.
      if (isLast && findFrame(data, read) === undefined) return at
      throw new DamageError(file.path, at, read.reason)
    }
    if (read.frame.kind === 'batch') for (const transaction of transactionsOf(read.frame)) apply(transaction)
    at = read.next
  }
  return at
}

function* transactionsOf({ content }: Frame): Generator<LoggedTransaction> {
  for (let from = 0; from < content.length; ) {
    const lineEnd = content.indexOf('\n', from)
    yield JSON.parse(content.slice(from, lineEnd)) as LoggedTransaction
    from = lineEnd + 1
  }
}
