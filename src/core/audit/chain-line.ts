import { AUDIT_FORM, type AuditEntry } from './audit-log.ts'
import { CHAIN_START_HASH, type ChainSeal } from './chain-seal.ts'

/** A place in the chain: behind the line with that sequence and hash. */
export interface ChainPosition {
  readonly seq: number
  readonly hash: string
}

/** Before the first line. */
export const CHAIN_START: ChainPosition = { seq: 0, hash: CHAIN_START_HASH }

/** What the first line of a file says, beside its time and server. */
export interface FileBeginning {
  /** Number of the file. */
  readonly file: number
  /** Files before this one may have been deleted because of their age. */
  readonly oldest: number
  readonly chain: ChainSeal['kind']
  /** Id of the key, for a chain with one. */
  readonly key?: string
  /** The file before this one; absent in the very first. */
  readonly previous?: PreviousFile
}

/** How the file before ended. */
export interface PreviousFile {
  readonly file: number
  /** So many bytes of it count. */
  readonly bytes: number
  /** Hash of the last line that counts. */
  readonly hash: string
  /** So many bytes behind them were left by a write that a crash interrupted; they have been cut off since. */
  readonly cut?: number
  /** The file was left because the disk failed: what stands behind those bytes is not known. */
  readonly abandoned?: boolean
  /** The file was found to be damaged; the chain goes on from what is known of it. */
  readonly damage?: string
}

/** What is between `{"seq":N,` and the hash in the line of a change: the original's fields under their names. */
export function changeContent(entry: AuditEntry, uuid: string): string {
  const { when, details } = entry
  const fields = {
    type: 'change',
    VERS: AUDIT_FORM,
    UUID: uuid,
    WHEN: new Date(when).toISOString(),
    WHO: entry.who,
    WHY: entry.why ?? null,
    WHERE: entry.where,
    'CLIENT-IP': entry.clientAddress,
    'WHAT-method': entry.method,
    'WHAT-api': entry.api,
    'WHAT-domain': entry.domain,
    'WHAT-entity': entry.entity,
    'WHO-fullname': entry.whoFullName,
    'WHEN-epoch': when,
  }
  // Details that are no JSON in one line would break the file.
  const value = details === '' || /[\r\n]/.test(details) ? JSON.stringify(details) : details
  return `${JSON.stringify(fields).slice(1, -1)},"WHAT-details":${value}`
}

/** The same for the first line of a file. */
export const beginContent = (when: number, server: string, host: string, beginning: FileBeginning): string =>
  JSON.stringify({ type: 'begin', WHEN: new Date(when).toISOString(), server, WHERE: host, ...beginning }).slice(1, -1)

/** The same for the line in the place of changes that could not be kept until the disk took lines again. */
export const lostContent = (when: number, changes: number): string =>
  JSON.stringify({ type: 'lost', WHEN: new Date(when).toISOString(), changes }).slice(1, -1)

/** The line that follows a position, with its line feed, and the position behind it. */
export function sealLine(
  seal: ChainSeal,
  after: ChainPosition,
  content: string,
): { readonly text: string; readonly position: ChainPosition } {
  const seq = after.seq + 1
  const sealed = `{"seq":${seq},${content}`
  const hash = seal.hash(after.hash, sealed)
  return { text: `${sealed}${HASH_MEMBER}${hash}${LINE_TAIL}\n`, position: { seq, hash } }
}

const HASH_MEMBER = ',"hash":"'
const LINE_TAIL = '"}'
const HASH_DIGITS = 64
const TAIL_LENGTH = HASH_MEMBER.length + HASH_DIGITS + LINE_TAIL.length
const LINE_START = /^\{"seq":([1-9]\d{0,15}),"type":"(change|begin|lost)"/
const START_MAX_LENGTH = 64
const LINE_END = /^,"hash":"([0-9a-f]{64})"\}$/

/** A line taken apart; whether its hash is right is another question. */
export interface ReadLine extends ChainPosition {
  readonly type: 'change' | 'begin' | 'lost'
  /** The bytes that the hash covers. */
  readonly sealed: Buffer
}

/** Takes a line apart, given without its line feed; undefined when it has not the form of one. */
export function readLine(line: Buffer): ReadLine | undefined {
  if (line.length < TAIL_LENGTH) return undefined
  const start = LINE_START.exec(line.toString('latin1', 0, Math.min(START_MAX_LENGTH, line.length - TAIL_LENGTH)))
  const end = LINE_END.exec(line.toString('latin1', line.length - TAIL_LENGTH))
  if (!start || !end) return undefined
  const [, seq, type] = start as unknown as [string, string, ReadLine['type']]
  return { seq: Number(seq), type, hash: end[1] as string, sealed: line.subarray(0, line.length - TAIL_LENGTH) }
}

/** The first line of a file, taken apart. */
export interface ReadBeginning extends FileBeginning, ChainPosition {
  /** When the file was begun, in epoch milliseconds. */
  readonly begun: number
  /** The bytes that the hash covers. */
  readonly sealed: Buffer
}

/** What the first line of a file says; undefined when it is no such line. */
export function readBeginning(line: Buffer): ReadBeginning | undefined {
  const read = readLine(line)
  if (read?.type !== 'begin') return undefined
  let value: unknown
  try {
    value = JSON.parse(line.toString())
  } catch {
    return undefined
  }
  if (!isBeginning(value)) return undefined
  return { ...value, begun: Date.parse(value.WHEN), seq: read.seq, hash: read.hash, sealed: read.sealed }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

function isBeginning(value: unknown): value is FileBeginning & { WHEN: string } {
  const { WHEN, file, oldest, chain, key, previous } = value as Partial<Record<keyof FileBeginning | 'WHEN', unknown>>
  return (
    typeof WHEN === 'string' &&
    !Number.isNaN(Date.parse(WHEN)) &&
    isCount(file) &&
    isCount(oldest) &&
    ((chain === 'sha256' && key === undefined) || (chain === 'hmac-sha256' && typeof key === 'string')) &&
    (previous === undefined || isPrevious(previous))
  )
}

function isPrevious(value: unknown): value is PreviousFile {
  if (typeof value !== 'object' || value === null) return false
  const { file, bytes, hash, cut, abandoned, damage } = value as Partial<Record<keyof PreviousFile, unknown>>
  return (
    isCount(file) &&
    isCount(bytes) &&
    typeof hash === 'string' &&
    /^[0-9a-f]{64}$/.test(hash) &&
    (cut === undefined || isCount(cut)) &&
    (abandoned === undefined || typeof abandoned === 'boolean') &&
    (damage === undefined || typeof damage === 'string')
  )
}
