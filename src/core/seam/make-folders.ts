import { mkdir, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

/**
 * Makes a folder and those above it where they are missing. Gives the highest one that was made, undefined when none was.
 * `mkdir` with `recursive` does the same, but never ends, and takes all memory, where the system refuses a folder as if the
 * one above it were missing, as it does in /proc.
 */
export async function makeFolders(path: string, mode = 0o777): Promise<string | undefined> {
  const folder = resolve(path)
  const made = await makeFolder(folder, mode)
  if (made !== 'no parent') return made ? folder : undefined
  const highest = await makeFolders(dirname(folder), mode)
  const again = await makeFolder(folder, mode)
  if (again === 'no parent') {
    throw Object.assign(new Error(`EPERM: operation not permitted, mkdir '${folder}'`), { code: 'EPERM' })
  }
  return highest ?? (again ? folder : undefined)
}

/** Whether it was made; false when it is there. */
async function makeFolder(folder: string, mode: number): Promise<boolean | 'no parent'> {
  try {
    await mkdir(folder, { mode })
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' && dirname(folder) !== folder) return 'no parent'
    if (code === 'EEXIST' && (await isFolder(folder))) return false
    throw error
  }
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
