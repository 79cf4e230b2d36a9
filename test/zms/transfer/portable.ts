import { readDataFile, writeDataFile } from '#zms/transfer/data-file.ts'
import { type DataLocation, type FillOptions, openSource, openTarget } from '#zms/transfer/data-location.ts'
import { moveRows } from '#zms/transfer/transfer.ts'

/** The portable file of a store. */
export async function exported(location: DataLocation): Promise<Buffer> {
  const source = await openSource(location)
  try {
    const chunks: Buffer[] = []
    for await (const chunk of writeDataFile(source.state, source.rows())) chunks.push(chunk)
    return Buffer.concat(chunks)
  } finally {
    await source.close()
  }
}

/** Fills a store with the data of a portable file; gives the number of rows. */
export async function imported(
  data: Buffer,
  location: DataLocation,
  options: Partial<FillOptions> = {},
): Promise<number> {
  const file = await readDataFile(inPieces(data))
  const defaults = { replace: false, acceptLoss: false, say: () => {}, label: 'before' }
  const target = await openTarget(location, { state: file.state, ...defaults, ...options })
  try {
    const count = await moveRows(file.rows(), target, () => {})
    await target.commit()
    return count
  } finally {
    await target.close()
  }
}

/** A prime number of bytes, so that lines are cut everywhere. */
const PIECE_BYTES = 9973

/** Bytes in pieces, as a pipe may give them. */
export async function* inPieces(data: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < data.length; at += PIECE_BYTES) yield data.subarray(at, at + PIECE_BYTES)
}
