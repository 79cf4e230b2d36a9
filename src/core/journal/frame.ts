import { crc32 } from 'node:zlib'
import { checksumText } from './checksum-text.ts'

/**
 * A journal is a sequence of frames, each written in one go: a line `{kind} {sequence} {bytes} {checksum}` and so many bytes
 * of content, itself lines of JSON. The checksum (CRC-32, eight hexadecimal digits) covers the rest of the line and the
 * content. JSON cannot contain such a line, so the frames behind a damaged one can be found. Behind the last frame of a
 * file that is or was in use there may be zeros, room for more.
 */
export interface Frame {
  readonly kind: FrameKind
  /** Of `journal`: the first transaction that may follow; of `batch`: its first transaction; of `end`: the last one before. */
  readonly sequence: number
  readonly content: string
}

/** `journal` begins a file, `batch` holds transactions that were written together, `end` tells that the store was closed. */
export type FrameKind = (typeof KINDS)[number]

const KINDS = ['journal', 'batch', 'end'] as const

/** Where a journal stops being readable, and why. */
export interface FrameFault {
  readonly offset: number
  readonly reason: string
}

/** The bytes of a frame; its content is empty or ends with a line feed. */
export function encodeFrame({ kind, sequence, content }: Frame): Buffer {
  const start = `${kind} ${sequence} ${Buffer.byteLength(content)} `
  return Buffer.from(`${start}${checksum(start, content)}\n${content}`)
}

const HEADER = /^(journal|batch|end) (\d{1,16}) (\d{1,10}) ([0-9a-f]{8})$/
const HEADER_MAX_BYTES = 64
const LINE_FEED = 10

/** The frame at that place with the place behind it, or what is wrong with it. */
export function readFrame(data: Buffer, offset: number): { frame: Frame; next: number } | FrameFault {
  const lineEnd = data.subarray(offset, offset + HEADER_MAX_BYTES).indexOf(LINE_FEED)
  const match = lineEnd < 0 ? null : HEADER.exec(data.toString('latin1', offset, offset + lineEnd))
  if (!match) return { offset, reason: 'this is not the beginning of a record' }
  const [, kind, sequence, bytes, sum] = match as unknown as [string, FrameKind, string, string, string]
  const from = offset + lineEnd + 1
  const next = from + Number(bytes)
  if (next > data.length) return { offset, reason: `the record has ${bytes} bytes, the file ends before` }
  const content = data.subarray(from, next)
  if (checksum(`${kind} ${sequence} ${bytes} `, content) !== sum) return { offset, reason: 'the checksum is wrong' }
  return { frame: { kind, sequence: Number(sequence), content: content.toString() }, next }
}

/** Where the next intact frame begins behind a fault; undefined when there is none. */
export function findFrame(data: Buffer, fault: FrameFault): number | undefined {
  let found: number | undefined
  for (const kind of KINDS) {
    for (let at = data.indexOf(`${kind} `, fault.offset + 1); at >= 0; at = data.indexOf(`${kind} `, at + 1)) {
      if (found !== undefined && at > found) break
      if ('frame' in readFrame(data, at)) found = at
    }
  }
  return found
}

const checksum = (start: string, content: string | Buffer) => checksumText(crc32(content, crc32(start)))
