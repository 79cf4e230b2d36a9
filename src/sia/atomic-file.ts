import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { mkdir, open, rename, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** Who may read a file. */
export interface FileAccess {
  readonly mode: number
  /** Ids of user and group that it is given to; those of the process unless given. */
  readonly uid?: number | undefined
  readonly gid?: number | undefined
}

const FOLDER_MODE = 0o755

/**
 * Replaces a file in one step: readers see the former content or the whole new one, also after a crash. Folders above it
 * are made where they are missing. Rejects with the errors of node:fs, and then leaves the former content.
 */
export async function writeAtomically(path: string, content: string, access: FileAccess): Promise<void> {
  const folder = dirname(path)
  await mkdir(folder, { recursive: true, mode: FOLDER_MODE })
  const temporary = join(folder, `.${basename(path)}.${randomBytes(6).toString('hex')}`)
  try {
    await writeDurably(temporary, content, access)
    await rename(temporary, path)
  } catch (error) {
    await unlink(temporary).catch(() => {})
    throw error
  }
  await syncFolder(folder)
}

/** Removes a file for good. */
export async function removeDurably(path: string): Promise<void> {
  await unlink(path)
  await syncFolder(dirname(path))
}

async function writeDurably(path: string, content: string, { mode, uid, gid }: FileAccess): Promise<void> {
  // Nobody else may open it before it has its owner.
  const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600)
  try {
    await file.writeFile(content)
    if (uid !== undefined || gid !== undefined) await file.chown(uid ?? -1, gid ?? -1)
    // The mask of the process must not take rights away that are wanted.
    await file.chmod(mode)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
