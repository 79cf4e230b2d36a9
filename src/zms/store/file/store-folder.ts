import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { FileLock, FileSystem } from '#core/seam/file-system.ts'
import { isReplaced } from './store-replacement.ts'

const LOCK = 'lock'
const FOLLOWER_LOCK = /^follower-\d{1,9}\.lock$/
/** Processes that follow a store end with the one that has it; how long they may take. */
const FOLLOWERS_MILLIS = 10_000
const LOOK_MILLIS = 20

/** Name of the lock of a process that answers from a copy of the store. */
export const followerLock = (number: number): string => `follower-${number}.lock`

/** Whether a file of the store's folder is a lock. */
export const isLock = (name: string): boolean => name === LOCK || FOLLOWER_LOCK.test(name)

/**
 * Locks the folder of a store: nobody else has the store then, and nobody answers from a copy of it any more.
 * @throws Error when it is in use, or about to be replaced
 */
export async function lockStore(fileSystem: FileSystem, folder: string): Promise<FileLock> {
  const lock = await fileSystem.lock(join(folder, LOCK))
  if (!lock) throw new Error(`${folder} is in use by another process`)
  try {
    // It was looked for before; the folder may have been made or locked in the moment in which it was replaced.
    if (await isReplaced(fileSystem, folder)) throw new Error(`${folder} is being replaced; try again`)
    const followers = (await fileSystem.list(folder)).filter((name) => FOLLOWER_LOCK.test(name))
    for (const name of followers) await awaitEnd(fileSystem, join(folder, name))
    return lock
  } catch (error) {
    lock.release()
    throw error
  }
}

async function awaitEnd(fileSystem: FileSystem, path: string): Promise<void> {
  for (const start = performance.now(); ; await pause(LOOK_MILLIS)) {
    const lock = await fileSystem.lock(path)
    if (lock) {
      lock.release()
      return
    }
    if (performance.now() - start > FOLLOWERS_MILLIS) {
      throw new Error(`${path} is held by a worker of a server that has ended; end that process`)
    }
  }
}
