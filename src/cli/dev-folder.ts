import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { access, open, readdir, readFile, rename, rm, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { makeFolders } from '#core/seam/make-folders.ts'
import { CommandFailure, reasonOf } from './command-failure.ts'
import { InstanceLock, LockHeldError } from './instance-lock.ts'

const MARKER = 'athenz-dev.json'
const LOCK = 'dev.lock'
const MARKER_TEXT = `${JSON.stringify({ madeBy: 'athenz dev', version: 1 })}\n`

/** A folder that `athenz dev` works in, locked for this process. */
export class DevFolder {
  /** Absolute. */
  readonly path: string
  readonly lock: InstanceLock

  private constructor(path: string, lock: InstanceLock) {
    this.path = path
    this.lock = lock
  }

  /**
   * Makes the folder when it is absent, and locks it.
   * @throws CommandFailure when it cannot be written, another `athenz dev` works in it, or it holds something else
   */
  static async open(path: string): Promise<DevFolder> {
    const lock = await lockFolder(path)
    try {
      const names = (await readdir(path)).filter((name) => !name.startsWith(LOCK))
      if (names.length > 0 && !names.includes(MARKER)) {
        throw new CommandFailure(`${path} is not empty and was not made by athenz dev: choose another --dir`)
      }
      const folder = new DevFolder(path, lock)
      if (names.length === 0) await folder.write(MARKER, MARKER_TEXT)
      return folder
    } catch (error) {
      await lock.release()
      throw error instanceof CommandFailure ? error : cannotWrite(path, error)
    }
  }

  /** The absolute path of a file in the folder. */
  file(relative: string): string {
    return join(this.path, relative)
  }

  /** The content of a file as text; undefined when it is absent. */
  async read(relative: string): Promise<string | undefined> {
    try {
      return await readFile(this.file(relative), 'utf8')
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
      throw new CommandFailure(`cannot read ${this.file(relative)}: ${reasonOf(error)}`)
    }
  }

  async has(relative: string): Promise<boolean> {
    return access(this.file(relative), constants.F_OK).then(
      () => true,
      () => false,
    )
  }

  /** Writes a file as a whole: it has the old or the new content, never a part. `secret`: only its owner may read it. */
  async write(relative: string, content: string, secret = false): Promise<void> {
    const path = this.file(relative)
    const next = `${path}.${randomBytes(4).toString('hex')}`
    try {
      await makeFolders(dirname(path))
      const handle = await open(next, 'wx', secret ? 0o600 : 0o644)
      try {
        await handle.writeFile(content)
        await handle.sync()
      } finally {
        await handle.close()
      }
      await rename(next, path)
    } catch (error) {
      await rm(next, { force: true }).catch(() => {})
      throw cannotWrite(path, error)
    }
  }

  async makeFolder(relative: string): Promise<void> {
    try {
      await makeFolders(this.file(relative))
    } catch (error) {
      throw cannotWrite(this.file(relative), error)
    }
  }

  /** Deletes files, folders with all they hold, and then the folders around them that have become empty. */
  async delete(files: readonly string[], folders: readonly string[]): Promise<void> {
    try {
      for (const relative of [...files, ...folders]) {
        await rm(this.file(relative), { force: true, recursive: folders.includes(relative) })
        await this.#removeEmptyParents(relative)
      }
    } catch (error) {
      throw new CommandFailure(`cannot delete in ${this.path}: ${reasonOf(error)}`)
    }
  }

  async #removeEmptyParents(relative: string): Promise<void> {
    for (let parent = dirname(relative); parent !== '.'; parent = dirname(parent)) {
      const removed = await rmdir(this.file(parent)).then(
        () => true,
        () => false,
      )
      if (!removed) return
    }
  }
}

async function lockFolder(path: string): Promise<InstanceLock> {
  try {
    await makeFolders(path, 0o755)
    return await InstanceLock.acquire(join(path, LOCK))
  } catch (error) {
    if (error instanceof LockHeldError) {
      throw new CommandFailure(
        `already running on ${path} (process ${error.holder.pid}): stop it or choose another --dir`,
      )
    }
    throw cannotWrite(path, error)
  }
}

function cannotWrite(path: string, error: unknown): CommandFailure {
  return new CommandFailure(`cannot write to ${path}: ${reasonOf(error)}`)
}
