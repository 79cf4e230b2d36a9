import { basename, join } from 'node:path'
import type { FileSystem } from '../seam/file-system.ts'
import {
  type AuditFile,
  type AuditHead,
  auditFilesIn,
  type Followed,
  firstLine,
  followLines,
  headFile,
  readHead,
} from './audit-files.ts'
import { CHAIN_START, type ChainPosition, readBeginning } from './chain-line.ts'
import { type ChainSeal, sameSeal } from './chain-seal.ts'

/** Where the log of earlier runs ends. */
export interface ChainEnd {
  readonly position: ChainPosition
  /** The file it ends in; absent when that is gone. */
  readonly file?: AuditFile
  /** Number of that file. */
  readonly number: number
  /** Files before this one have been deleted because of their age. */
  readonly oldest: number
  /** Bytes of it that count. */
  readonly bytes: number
  /** Bytes behind them that an interrupted write has left. */
  readonly torn: number
  /** Whether the file was written under the seal given. */
  readonly sameSeal: boolean
  /** What is wrong with the log beyond that, in words. */
  readonly damage?: string
}

/** What the folder of a log holds at the start of the server. */
export interface FoundLog {
  /** Undefined when there is no log yet. */
  readonly end: ChainEnd | undefined
  /** A file whose first line was never completed, so that nothing was recorded in it. */
  readonly stillborn?: AuditFile
  /** The number that no file has yet. */
  readonly nextNumber: number
}

/**
 * Finds the end of the log in a folder. Everything up to the noted head was confirmed by the disk: what is wrong up to
 * there is damage. What does not follow behind it belongs to a write that was interrupted, and to changes that were not
 * acknowledged.
 */
export async function findLog(fileSystem: FileSystem, folder: string, seal: ChainSeal): Promise<FoundLog> {
  const names = await fileSystem.list(folder)
  const noted = names.includes(basename(headFile(folder)))
  const head = noted ? readHead(seal, await fileSystem.readFile(headFile(folder))) : undefined
  const files = auditFilesIn(names)
  const read = async (file: AuditFile | undefined) =>
    file && { file, content: await fileSystem.readFile(join(folder, file.name)) }
  let last = await read(files.at(-1))
  let stillborn: AuditFile | undefined
  if (last && beginningOf(last.content) === undefined && (head === undefined || head.file < last.file.number)) {
    stillborn = last.file
    last = await read(files.at(-2))
  }
  const end = endOf(last, head, seal)
  const nextNumber = 1 + Math.max(end?.number ?? 0, last?.file.number ?? 0)
  return { end, nextNumber, ...(stillborn && { stillborn }) }
}

type ReadFile = { readonly file: AuditFile; readonly content: Buffer }

function endOf(last: ReadFile | undefined, head: AuditHead | undefined, seal: ChainSeal): ChainEnd | undefined {
  if (!last) return head && goneEnd(head, 'all its files are missing')
  const { file, content } = last
  const beginning = beginningOf(content)
  if (!beginning) {
    const damage = `${file.name} has lost its beginning`
    return head ? goneEnd(head, damage) : { ...NOTHING_KNOWN, number: file.number, oldest: file.number, damage }
  }
  const { oldest } = beginning
  const known = { file, number: file.number, oldest, sameSeal: sameSeal(beginning.seal, seal) }
  if (head && known.sameSeal) {
    if (head.file > file.number) return goneEnd(head, `file ${head.file} is missing`)
    if (head.file === file.number) return { ...known, ...endBehindHead(last, head, seal) }
  }
  const followed = followLines(content, beginning.behind, known.sameSeal ? seal : undefined)
  const left = content.subarray(followed.bytes)
  // A new file is confirmed before its head is noted, so that the note may still be about the file before.
  const unconfirmed = head?.file === file.number - 1 || !left.includes(LINE_FEED)
  if (unconfirmed) return { ...known, ...followed, torn: left.length }
  return { ...known, ...followed, torn: 0, damage: `${file.name}: the line behind byte ${followed.bytes} is wrong` }
}

const LINE_FEED = 10

/** The end of a log of which there is nothing to go by. */
const NOTHING_KNOWN = { position: CHAIN_START, bytes: 0, torn: 0, sameSeal: true }

function endBehindHead({ file, content }: ReadFile, head: AuditHead, seal: ChainSeal) {
  const { bytes, seq, hash } = head
  const position = { seq, hash }
  if (
    !content
      .subarray(0, bytes)
      .toString('latin1', Math.max(0, bytes - 80))
      .endsWith(`"${hash}"}\n`)
  ) {
    return { position, bytes, torn: 0, damage: `${file.name} no longer holds line ${seq} at byte ${bytes}` }
  }
  const followed = followLines(content, { bytes, position }, seal)
  return { ...followed, torn: content.length - followed.bytes }
}

const goneEnd = ({ file, bytes, seq, hash }: AuditHead, damage: string): ChainEnd => ({
  position: { seq, hash },
  number: file,
  oldest: file,
  bytes,
  torn: 0,
  sameSeal: true,
  damage,
})

/** What the first line of a file says of its seal and of earlier files, and the place behind that line. */
function beginningOf(
  content: Buffer,
): { seal: Pick<ChainSeal, 'kind' | 'keyId'>; oldest: number; behind: Followed } | undefined {
  const line = firstLine(content)
  const beginning = line && readBeginning(line)
  if (!beginning) return undefined
  const { chain, key, oldest, seq, hash } = beginning
  return {
    oldest,
    seal: { kind: chain, ...(key !== undefined && { keyId: key }) },
    behind: { bytes: line.length + 1, position: { seq, hash } },
  }
}
