import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { readDataFile } from '#zms/transfer/data-file.ts'
import { type DataLocation, type FillOptions, openTarget } from '#zms/transfer/data-location.ts'
import { moveRows } from '#zms/transfer/transfer.ts'
import { dataFailure } from './data-command.ts'
import { type DataOptions, zmsDataOf } from './data-location.ts'
import { RowProgress } from './progress.ts'

/** Options of `athenz import`. */
export interface ImportOptions extends DataOptions {
  readonly storeDir?: string
  readonly replace?: boolean
  readonly acceptLoss?: boolean
}

/**
 * Fills a store of ZMS with the data of a portable file, which is compressed when its name ends with `.gz`, or of standard
 * input (`-`). The store has all of them or, when anything fails, none. Gives the exit status.
 * @throws CommandFailure with the reason
 */
export async function importData(source: string, options: ImportOptions): Promise<number> {
  try {
    const location = await zmsDataOf(options)
    const rows = await read(source, (chunks) => fill(location, chunks, options))
    process.stderr.write(`${rows} rows imported\n`)
    return 0
  } catch (error) {
    throw dataFailure(error)
  }
}

async function fill(
  location: DataLocation,
  chunks: AsyncIterable<Buffer>,
  { replace = false, acceptLoss = false }: ImportOptions,
): Promise<number> {
  const file = await readDataFile(chunks)
  const fillOptions: FillOptions = {
    state: file.state,
    replace,
    acceptLoss,
    say: (line) => process.stderr.write(`${line}\n`),
    label: new Date().toISOString().replaceAll(/[-:]|\.\d+/g, ''),
  }
  const target = await openTarget(location, fillOptions)
  const progress = new RowProgress()
  try {
    const rows = await moveRows(file.rows(), target, progress.show)
    await target.commit()
    return rows
  } finally {
    progress.end()
    await target.close()
  }
}

/** Hands the bytes of the source to `use`; gives what that gives. */
async function read<T>(source: string, use: (chunks: AsyncIterable<Buffer>) => Promise<T>): Promise<T> {
  const input = source === '-' ? process.stdin : createReadStream(source)
  const found: T[] = []
  const sink = async (chunks: AsyncIterable<Buffer>) => {
    found.push(await use(chunks))
  }
  if (source.endsWith('.gz')) await pipeline(input, createGunzip(), sink)
  else await pipeline(input, sink)
  return found[0] as T
}
