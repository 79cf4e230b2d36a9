import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { checksumText } from '#core/journal/checksum-text.ts'
import { DamageError } from '#core/journal/damage-error.ts'
import type { FileSystem } from '#core/seam/file-system.ts'

/**
 * A document is a file with one JSON object that begins with a checksum: the CRC-32 of all bytes behind it. `sequence` is
 * that of the last transaction in the content; further members are the owner's.
 */
export interface Document {
  readonly sequence: number
  readonly content: unknown
}

const PREFIX = /^\{"checksum":"([0-9a-f]{8})",$/
const PREFIX_BYTES = 23

/** Reads a document; undefined when there is none. */
export async function readDocument(fileSystem: FileSystem, path: string): Promise<Document | undefined> {
  let data: Buffer
  try {
    data = await fileSystem.readFile(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
  const match = PREFIX.exec(data.toString('latin1', 0, PREFIX_BYTES))
  if (!match) throw new DamageError(path, 0, 'this is not the beginning of a document')
  if (crc32(data.subarray(PREFIX_BYTES)) !== Number.parseInt(match[1] as string, 16)) {
    throw new DamageError(path, PREFIX_BYTES, 'the checksum is wrong')
  }
  return JSON.parse(data.toString()) as Document
}

/** The bytes of a document: its members but for the content, and the content's JSON text in pieces. */
export function encodeDocument(members: { sequence: number }, content: readonly Buffer[]): Buffer {
  const pieces = [Buffer.from(`${JSON.stringify(members).slice(1, -1)},"content":\n`), ...content, Buffer.from('\n}\n')]
  const checksum = pieces.reduce((sum, piece) => crc32(piece, sum), 0)
  return Buffer.concat([Buffer.from(`{"checksum":"${checksumText(checksum)}",`), ...pieces])
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
