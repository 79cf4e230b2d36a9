import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { FileSystem } from '#core/seam/file-system.ts'
import { DamageError } from './damage.ts'

/**
 * A document is a file with one JSON object: the sequence of the last transaction in it, a checksum (CRC-32) of the
 * content's text, and the content on the line below.
 */
export interface Document {
  readonly sequence: number
  readonly content: unknown
}

const HEADER = /^\{"sequence":(\d{1,16}),"checksum":"([0-9a-f]{8})","content":$/
const HEADER_MAX_BYTES = 100
const END = Buffer.from('\n}\n')

/** Reads a document; undefined when there is none. */
export async function readDocument(fileSystem: FileSystem, path: string): Promise<Document | undefined> {
  let data: Buffer
  try {
    data = await fileSystem.readFile(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  const lineEnd = data.subarray(0, HEADER_MAX_BYTES).indexOf('\n')
  const match = HEADER.exec(data.toString('latin1', 0, Math.max(lineEnd, 0)))
  if (!match) throw new DamageError(path, 0, 'the beginning of the document is missing')
  if (!data.subarray(-END.length).equals(END)) {
    throw new DamageError(path, data.length, 'the end of the document is missing')
  }
  const content = data.subarray(lineEnd + 1, -END.length)
  if (crc32(content) !== Number.parseInt(match[2] as string, 16)) {
    throw new DamageError(path, lineEnd + 1, 'the checksum of the document is wrong')
  }
  return { sequence: Number(match[1]), content: JSON.parse(content.toString()) as unknown }
}

/** The bytes of a document whose content's text is given in pieces. */
export function encodeDocument(sequence: number, pieces: readonly Buffer[]): Buffer {
  const checksum = pieces.reduce((sum, piece) => crc32(piece, sum), 0)
  const header = `{"sequence":${sequence},"checksum":"${checksum.toString(16).padStart(8, '0')}","content":\n`
  return Buffer.concat([Buffer.from(header), ...pieces, END])
}

/** Ends the names of files that are being written. */
export const TEMPORARY = '.tmp'

/**
 * Replaces a file in one step: whoever reads it, also after a crash, finds all of the old or all of the new content. The
 * caller syncs the folder.
 */
export async function replaceFile(fileSystem: FileSystem, folder: string, name: string, data: Buffer): Promise<void> {
  const temporary = join(folder, name + TEMPORARY)
  const file = await fileSystem.open(temporary, 'replace')
  try {
    await file.write(data, 0)
    await file.sync()
  } finally {
    await file.close()
  }
  await fileSystem.rename(temporary, join(folder, name))
}
