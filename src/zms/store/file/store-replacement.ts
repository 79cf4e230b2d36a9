import { rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { FileSystem } from '#core/seam/file-system.ts'
import { replaceFile } from './document.ts'

/**
 * Replacing all data of a store. The new ones are made in a folder beside the store's; a mark in it tells that they are
 * complete, and from then on they are the store's data: the two renames that put them in place are done by whoever comes
 * first, the program that made them or the next one that opens the store. A folder without the mark means nothing.
 */

const MARK = 'complete.json'

/** Where new data of the store are made. */
export const stagingOf = (folder: string): string => `${resolve(folder)}.import`

/** Makes the folder for new data, empty. */
export async function beginReplacement(fileSystem: FileSystem, folder: string): Promise<string> {
  const staging = stagingOf(folder)
  await abandonReplacement(folder)
  await fileSystem.makeFolder(staging)
  return staging
}

/** Removes new data that did not become complete. */
export async function abandonReplacement(folder: string): Promise<void> {
  await rm(stagingOf(folder), { recursive: true, force: true })
}

/**
 * Says that the new data are complete, and puts them in place. The former data are in the folder `former` then. The caller
 * has the lock of the store and has made everything in the new folder survive a crash.
 */
export async function replaceStore(fileSystem: FileSystem, folder: string, former: string): Promise<void> {
  const staging = stagingOf(folder)
  await replaceFile(fileSystem, staging, MARK, Buffer.from(`${JSON.stringify({ former: basename(former) })}\n`))
  await fileSystem.syncFolder(staging)
  await completeReplacement(fileSystem, folder)
}

/** Puts complete new data in place, if there are any. */
export async function completeReplacement(fileSystem: FileSystem, folder: string): Promise<void> {
  const mark = await readMark(fileSystem, folder)
  if (mark === undefined) return
  const parent = dirname(resolve(folder))
  // Either rename may have been done before.
  await renameIfThere(fileSystem, folder, join(parent, mark.former))
  await renameIfThere(fileSystem, stagingOf(folder), folder)
  await fileSystem.syncFolder(parent)
  await fileSystem.remove(join(folder, MARK)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
}

/** Whether there are new data that are not in place yet. */
export async function isReplaced(fileSystem: FileSystem, folder: string): Promise<boolean> {
  return (await readMark(fileSystem, folder)) !== undefined
}

async function readMark(fileSystem: FileSystem, folder: string): Promise<{ former: string } | undefined> {
  try {
    return JSON.parse((await fileSystem.readFile(join(stagingOf(folder), MARK))).toString()) as { former: string }
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) {
      return undefined
    }
    throw error
  }
}

async function renameIfThere(fileSystem: FileSystem, from: string, to: string): Promise<void> {
  await fileSystem.rename(from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
}
