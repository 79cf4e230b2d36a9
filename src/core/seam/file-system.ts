import { accessSync, constants, existsSync } from 'node:fs'
import { type FileHandle, open, readdir, readFile, rename, unlink } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { makeFolders } from './make-folders.ts'

/**
 * What durable stores ask of a file system; the machine's own is `nodeFileSystem`, tests replace it by one that loses
 * what was not synced, fills up or fails. Errors are those of node:fs (`code` ENOENT, EEXIST, ENOSPC, EIO, …).
 */
export interface FileSystem {
  /** Opens a file for writing. `new`: it must not exist; `replace`: made empty; `existing`: kept as it is. */
  open(path: string, mode: OpenMode): Promise<WritableFile>
  readFile(path: string): Promise<Buffer>
  /** Names in a folder, in no particular order. */
  list(folder: string): Promise<string[]>
  /**
   * Makes a folder and those above it where they are missing, for this user only. Resolves when those that were made
   * survive a crash.
   */
  makeFolder(folder: string): Promise<void>
  /** Replaces `to` in one step. */
  rename(from: string, to: string): Promise<void>
  remove(path: string): Promise<void>
  /** Resolves when creations, renames and removals in the folder survive a crash. */
  syncFolder(folder: string): Promise<void>
  /** Takes a lock on a file that it makes; it ends with this process, whatever ends it. Undefined when somebody has it. */
  lock(path: string): Promise<FileLock | undefined>
}

/** How a file is opened for writing. */
export type OpenMode = 'new' | 'replace' | 'existing'

/** An open file. */
export interface WritableFile {
  /** Writes all of the data at that place, or fails with part of it written. */
  write(data: Uint8Array, position: number): Promise<void>
  truncate(bytes: number): Promise<void>
  /** Resolves when the content and the size survive a crash. After a failure nothing is known about the content. */
  sync(): Promise<void>
  close(): Promise<void>
}

/** A lock that is held. */
export interface FileLock {
  release(): void
}

const FLAGS: Readonly<Record<OpenMode, number>> = {
  new: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
  replace: constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC,
  existing: constants.O_RDWR,
}

/** The file system of this machine. Files and folders are made for this user only. */
export const nodeFileSystem: FileSystem = {
  open: async (path, mode) => new NodeFile(await open(path, FLAGS[mode], 0o600)),
  readFile: (path) => readFile(path),
  list: (folder) => readdir(folder),
  async makeFolder(folder) {
    const highest = await makeFolders(folder, 0o700)
    if (highest === undefined) return
    for (let made = resolve(folder); ; made = dirname(made)) {
      await syncFolder(dirname(made))
      if (made === resolve(highest)) return
    }
  },
  rename,
  remove: unlink,
  syncFolder,
  lock: async (path) => lockWithSqlite(path),
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

class NodeFile implements WritableFile {
  readonly #handle: FileHandle

  constructor(handle: FileHandle) {
    this.#handle = handle
  }

  async write(data: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < data.length; ) {
      const { bytesWritten } = await this.#handle.write(data, done, data.length - done, position + done)
      done += bytesWritten
    }
  }

  truncate(bytes: number): Promise<void> {
    return this.#handle.truncate(bytes)
  }

  sync(): Promise<void> {
    return this.#handle.datasync()
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}

const SQLITE_BUSY = 5

/**
 * Node.js offers no file locks; SQLite takes those of the kernel, which belong to the process and vanish with it. So a
 * lock is never left behind, and two processes that start at the same moment cannot both have it.
 */
function lockWithSqlite(path: string): FileLock | undefined {
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(path)
    // Nothing is ever written: the transaction only holds the lock, and no journal file is made.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (error) {
    database?.close()
    if (!(error instanceof Error)) throw error
    if ('errcode' in error && error.errcode === SQLITE_BUSY) return undefined
    throw new Error(`cannot lock ${path}: ${accessProblem(path) ?? error.message}`, { cause: error })
  }
  const held = database
  return { release: () => held.close() }
}

/** Why a file cannot be opened for writing, which SQLite does not tell; undefined when the system sees no reason. */
function accessProblem(path: string): string | undefined {
  try {
    accessSync(existsSync(path) ? path : dirname(path), constants.R_OK | constants.W_OK)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : undefined
  }
}
