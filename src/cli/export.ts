import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Writable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { writeDataFile } from '#zms/transfer/data-file.ts'
import { openSource } from '#zms/transfer/data-location.ts'
import { CommandFailure, reasonOf } from './command-failure.ts'
import { dataFailure } from './data-command.ts'
import { type DataOptions, zmsDataOf } from './data-location.ts'
import { RowProgress } from './progress.ts'

/** Options of `athenz export`. */
export interface ExportOptions extends DataOptions {
  readonly storeDir?: string
  readonly allowUnknownColumns?: boolean
}

/**
 * Writes all data of ZMS to a portable file, which is compressed when its name ends with `.gz`, or to standard output
 * (`-`). The file is there only when it is complete. Gives the exit status.
 * @throws CommandFailure with the reason
 */
export async function exportData(target: string, options: ExportOptions): Promise<number> {
  const progress = new RowProgress()
  try {
    const location = await zmsDataOf(options)
    const source = await openSource(location, options)
    let rows = 0
    const counted = async function* () {
      for await (const piece of source.rows()) {
        rows += piece.length
        progress.show(rows)
        yield piece
      }
    }
    try {
      const bytes = writeDataFile(source.state, counted())
      if (target === '-') await pipeline(bytes, process.stdout, { end: false })
      else await writeFile(target, bytes)
    } finally {
      progress.end()
      await source.close()
    }
    // Standard output may be the data.
    process.stderr.write(`${rows} rows exported\n`)
    return 0
  } catch (error) {
    throw dataFailure(error)
  }
}

async function writeFile(target: string, bytes: AsyncIterable<Buffer>): Promise<void> {
  const partial = `${target}.partial`
  await requireAbsent(target)
  try {
    // It holds credentials.
    const file = await open(partial, 'w', 0o600)
    const output = file.createWriteStream({ flush: true })
    if (target.endsWith('.gz')) await pipeline(bytes, createGzip(), output)
    else await pipeline(bytes, output)
    await finished(output as Writable)
    await rename(partial, target)
    const folder = await open(dirname(target))
    await folder.sync()
    await folder.close()
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  }
}

async function requireAbsent(target: string): Promise<void> {
  try {
    const file = await open(target)
    await file.close()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return
    throw new CommandFailure(`${target}: ${reasonOf(error)}`)
  }
  throw new CommandFailure(`${target} is there already: name another file`)
}
