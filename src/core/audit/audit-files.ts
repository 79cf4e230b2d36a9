import { join } from 'node:path'
import { type ChainPosition, readLine } from './chain-line.ts'
import type { ChainSeal } from './chain-seal.ts'

const NAME = /^audit-(\d{8,15})-(\d{4})(\d{2})(\d{2})\.jsonl$/

/** A file of the audit log: its number, which counts up, and the UTC day on which it was begun. */
export interface AuditFile {
  readonly name: string
  readonly number: number
  /** Start of the day in epoch milliseconds. */
  readonly day: number
}

const DAY_MILLIS = 86_400_000

/** Start of the UTC day of a time, in epoch milliseconds. */
export const dayOf = (epochMillis: number): number => Math.floor(epochMillis / DAY_MILLIS) * DAY_MILLIS

/** Name of the file that is begun at this time: `audit-{number}-{yyyyMMdd}.jsonl`. */
export function auditFile(number: number, epochMillis: number): AuditFile {
  const date = new Date(epochMillis).toISOString().slice(0, 10).replaceAll('-', '')
  return { name: `audit-${String(number).padStart(8, '0')}-${date}.jsonl`, number, day: dayOf(epochMillis) }
}

/** The file of that name; undefined for names of other things. */
export function auditFileOf(name: string): AuditFile | undefined {
  const match = NAME.exec(name)
  if (!match) return undefined
  const [, number, year, month, day] = match
  const time = Date.parse(`${year}-${month}-${day}T00:00:00Z`)
  return Number.isNaN(time) ? undefined : { name, number: Number(number), day: time }
}

/** The files of the audit log among the names of a folder, the oldest first. */
export const auditFilesIn = (names: readonly string[]): AuditFile[] =>
  names
    .map(auditFileOf)
    .filter((file) => file !== undefined)
    .sort((a, b) => a.number - b.number)

/** Where the server notes how far the log reached. */
export const headFile = (folder: string): string => join(folder, 'audit-head.json')

/** Held by the server that writes the log. */
export const lockFile = (folder: string): string => join(folder, 'audit.lock')

/** How far the log reaches: everything up to here is on disk. */
export interface AuditHead extends ChainPosition {
  readonly file: number
  /** Bytes of that file. */
  readonly bytes: number
}

/** Disks write so much as a whole: the note is always either the old or the new one. */
const HEAD_BYTES = 512

/** The note about the head, with a hash of its own, under the key of the chain when that has one. */
export function encodeHead(seal: ChainSeal, { file, bytes, seq, hash }: AuditHead): Buffer {
  const check = headCheck(seal, { file, bytes, seq, hash })
  return Buffer.from(`${JSON.stringify({ file, bytes, seq, hash, check }).padEnd(HEAD_BYTES - 1)}\n`)
}

/** Reads that note; undefined when it is not whole, or was not written under this seal. */
export function readHead(seal: ChainSeal, content: Buffer): AuditHead | undefined {
  let value: unknown
  try {
    value = JSON.parse(content.toString())
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { check, file, bytes, seq, hash } = value as Partial<Record<keyof AuditHead | 'check', unknown>>
  if (![file, bytes, seq].every(Number.isSafeInteger) || typeof hash !== 'string') return undefined
  const head = { file, bytes, seq, hash } as AuditHead
  return check === headCheck(seal, head) ? head : undefined
}

const headCheck = (seal: ChainSeal, { file, bytes, seq, hash }: AuditHead) =>
  seal.hash(hash, `head ${file} ${bytes} ${seq}`)

const LINE_FEED = 10

/** How far the lines of a file can be followed. */
export interface Followed {
  /** Bytes up to the end of the last line that follows. */
  readonly bytes: number
  readonly position: ChainPosition
}

/**
 * Follows the lines of a file from a place where a line begins, as far as each continues the one before. Without a seal
 * only the sequence is looked at.
 */
export function followLines(content: Buffer, from: Followed, seal: ChainSeal | undefined): Followed {
  let { bytes, position } = from
  for (let end = content.indexOf(LINE_FEED, bytes); end >= 0; end = content.indexOf(LINE_FEED, bytes)) {
    const line = readLine(content.subarray(bytes, end))
    if (line?.seq !== position.seq + 1) break
    if (seal && seal.hash(position.hash, line.sealed) !== line.hash) break
    position = { seq: line.seq, hash: line.hash }
    bytes = end + 1
  }
  return { bytes, position }
}

/** The first line of a file, without its line feed; undefined when it has none. */
export function firstLine(content: Buffer): Buffer | undefined {
  const end = content.indexOf(LINE_FEED)
  return end < 0 ? undefined : content.subarray(0, end)
}
