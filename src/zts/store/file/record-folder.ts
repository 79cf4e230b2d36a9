import { join } from 'node:path'
import { ConfigError } from '#core/config/config-error.ts'
import { badRequest } from '#core/error/service-error.ts'
import { type FileLock, type FileSystem, nodeFileSystem } from '#core/seam/file-system.ts'

/** Ends names of files that are being written; no record's name ends like this. */
const TEMPORARY = '~'
/** Longest name of a file, less the ending of a temporary one. */
const NAME_MAX_LENGTH = 254
/** Files that are written at the same time when there are many; the threads of the runtime have other work, too. */
const WORKERS = 2
/** What names of services and ids of instances are made of: nothing here leads out of a folder. */
const NAME = /^[A-Za-z0-9._~=+@$,:-]+$/

/**
 * A folder of records, one JSON document a file, replaced in one step. Used by one process at a time: a lock beside the
 * folder says so. Work on the same file is done one after the other.
 */
export class RecordFolder {
  readonly folder: string
  readonly #fileSystem: FileSystem
  readonly #lock: FileLock
  readonly #turns = new Map<string, Promise<unknown>>()
  /** The sync of the folder that has not begun yet: everybody who asks meanwhile shares it. */
  #nextSync: Promise<void> | undefined
  #lastSync: Promise<void> = Promise.resolve()

  private constructor(folder: string, fileSystem: FileSystem, lock: FileLock) {
    this.folder = folder
    this.#fileSystem = fileSystem
    this.#lock = lock
  }

  /**
   * Makes the folder where it is missing and removes what a crash left half written.
   * @throws ConfigError when another process uses the folder
   */
  static async open(folder: string, fileSystem: FileSystem = nodeFileSystem): Promise<RecordFolder> {
    await fileSystem.makeFolder(folder)
    const lock = await fileSystem.lock(`${folder}.lock`)
    if (lock === undefined) throw new ConfigError([`${folder}: another server keeps its records here`])
    try {
      const left = (await fileSystem.list(folder)).filter((name) => name.endsWith(TEMPORARY))
      for (const name of left) await fileSystem.remove(join(folder, name))
      return new RecordFolder(folder, fileSystem, lock)
    } catch (error) {
      lock.release()
      throw error
    }
  }

  /** Names of all records. */
  async names(): Promise<string[]> {
    return (await this.#fileSystem.list(this.folder)).filter((name) => !name.endsWith(TEMPORARY))
  }

  /** The members of a record; undefined when there is none. Throws Error that names the file when it is damaged. */
  async read(name: string): Promise<ReadonlyMap<string, unknown> | undefined> {
    const path = this.#pathOf(name)
    let text: string
    try {
      text = (await this.#fileSystem.readFile(path)).toString()
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch (cause) {
      throw new Error(`${path}: this is no record: ${(cause as Error).message}`, { cause })
    }
    if (typeof value !== 'object' || value === null) throw new Error(`${path}: this is no record`)
    return new Map(Object.entries(value))
  }

  /** Replaces a record. Resolves when it survives a crash, or, unless that is asked for, when it can be read. */
  async write(name: string, record: object, { durable }: { durable: boolean }): Promise<void> {
    await this.#replace(name, record, durable)
    if (durable) await this.#syncFolder()
  }

  /** Removes a record; nothing happens when there is none. */
  async remove(name: string): Promise<void> {
    if (await this.#unlink(name)) await this.#syncFolder()
  }

  /**
   * Replaces many records, and removes those given as null; each is taken from the iterator when its turn comes. Resolves
   * when all of it survives a crash.
   */
  async apply(records: IterableIterator<readonly [string, object | null]>): Promise<void> {
    const worker = async () => {
      for (const [name, record] of records) {
        await (record === null ? this.#unlink(name) : this.#replace(name, record, true))
      }
    }
    // A failure waits for the others, lest one of them still writes when the same records are tried again.
    const outcomes = await Promise.allSettled(Array.from({ length: WORKERS }, worker))
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
    await this.#syncFolder()
  }

  /** Throws `bad-request` unless a record can have that name. */
  requireName(name: string): void {
    this.#pathOf(name)
  }

  /** Does the work when nobody else is at work on the same record. */
  async inTurn<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(name) ?? Promise.resolve()
    const turn = before.then(work)
    const over = turn.catch(() => {})
    this.#turns.set(name, over)
    try {
      return await turn
    } finally {
      if (this.#turns.get(name) === over) this.#turns.delete(name)
    }
  }

  /** Waits for the work under way. */
  async idle(): Promise<void> {
    await Promise.all(this.#turns.values())
  }

  /** Waits for the work under way and lets others use the folder. */
  async close(): Promise<void> {
    await this.idle()
    this.#lock.release()
  }

  /** A reader finds all of the old or all of the new record. */
  async #replace(name: string, record: object, synced: boolean): Promise<void> {
    const path = this.#pathOf(name)
    const file = await this.#fileSystem.open(path + TEMPORARY, 'replace')
    try {
      await file.write(Buffer.from(JSON.stringify(record)), 0)
      if (synced) await file.sync()
    } finally {
      await file.close()
    }
    await this.#fileSystem.rename(path + TEMPORARY, path)
  }

  /** False when there was none. */
  async #unlink(name: string): Promise<boolean> {
    try {
      await this.#fileSystem.remove(this.#pathOf(name))
      return true
    } catch (error) {
      if (isMissing(error)) return false
      throw error
    }
  }

  #pathOf(name: string): string {
    if (!NAME.test(name)) throw badRequest('The record has names that cannot be the name of a file')
    if (name.length > NAME_MAX_LENGTH) throw badRequest('The record has names that are too long for the name of a file')
    return join(this.folder, name)
  }

  /** A sync that begins after this call; one serves everybody who came before it began. */
  #syncFolder(): Promise<void> {
    this.#nextSync ??= this.#lastSync.then(() => {
      this.#nextSync = undefined
      const sync = this.#fileSystem.syncFolder(this.folder)
      this.#lastSync = sync.catch(() => {})
      return sync
    })
    return this.#nextSync
  }
}

const isMissing = (error: unknown) => error instanceof Error && 'code' in error && error.code === 'ENOENT'
