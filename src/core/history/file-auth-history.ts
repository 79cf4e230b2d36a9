import { join } from 'node:path'
import type { Clock } from '../seam/clock.ts'
import { type FileLock, type FileSystem, nodeFileSystem, type WritableFile } from '../seam/file-system.ts'
import { inTurns } from '../seam/steps.ts'
import { type AuthHistoryStore, type AuthUse, type AuthUses, useKey } from './auth-use.ts'
import { parseUseLine, useLine } from './auth-use-lines.ts'
import { AuthUseTable } from './auth-use-table.ts'
import { FollowedUses } from './followed-uses.ts'

/** Where and how long uses are kept. */
export interface FileAuthHistoryOptions {
  /** Shared by the servers of a machine; each writes a file of its own and reads those of the others. */
  readonly folder: string
  /** Name of the own file, without its ending. */
  readonly name: string
  readonly maxUses: number
  readonly retentionSeconds: number
  readonly now: Clock
  readonly fileSystem?: FileSystem
}

const ENDING = '.uses'
/** A file is rewritten when it has so many lines for each use that counts, and so many more. */
const LINES_PER_USE = 2
const SPARE_LINES = 1000
const MILLIS_PER_SECOND = 1000

/**
 * Uses in files of one folder, a line each, and in memory. What was recorded last may be lost in a crash of the machine; a
 * torn line is passed over.
 */
export class FileAuthHistory implements AuthHistoryStore {
  readonly #options: FileAuthHistoryOptions
  readonly #fileSystem: FileSystem
  readonly #path: string
  readonly #lock: FileLock
  readonly #table: AuthUseTable
  readonly #others = new Map<string, FollowedUses>()
  #file: WritableFile | undefined
  #size = 0
  #lines = 0
  #writing: Promise<void> = Promise.resolve()

  /** Reads what was recorded before. Rejects when the file cannot be used, or another process has it. */
  static async open(options: FileAuthHistoryOptions): Promise<FileAuthHistory> {
    const { folder, name, fileSystem = nodeFileSystem } = options
    await fileSystem.makeFolder(folder)
    const lock = await fileSystem.lock(join(folder, `${name}.lock`))
    if (lock === undefined) throw new Error(`another process writes ${join(folder, name + ENDING)}`)
    const history = new FileAuthHistory(options, fileSystem, lock)
    try {
      await history.#load()
      return history
    } catch (error) {
      lock.release()
      throw error
    }
  }

  private constructor(options: FileAuthHistoryOptions, fileSystem: FileSystem, lock: FileLock) {
    this.#options = options
    this.#fileSystem = fileSystem
    this.#lock = lock
    this.#path = join(options.folder, options.name + ENDING)
    this.#table = new AuthUseTable(options.maxUses)
  }

  record(uses: readonly AuthUse[]): Promise<void> {
    const written = this.#writing.then(() => this.#append(uses))
    this.#writing = written.catch(() => {})
    return written
  }

  async ofDomain(domain: string): Promise<AuthUses> {
    const all = [this.#table.ofDomain(domain)]
    for (const other of await this.#otherFiles()) {
      const uses = await other.ofDomain(domain).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined
        throw error
      })
      if (uses !== undefined) all.push(uses)
    }
    const since = this.#oldest()
    return {
      incoming: latest(
        all.flatMap(({ incoming }) => incoming),
        since,
      ),
      outgoing: latest(
        all.flatMap(({ outgoing }) => outgoing),
        since,
      ),
    }
  }

  async close(): Promise<void> {
    await this.#writing
    await this.#file?.close()
    this.#lock.release()
  }

  #oldest(): number {
    return this.#options.now() / MILLIS_PER_SECOND - this.#options.retentionSeconds
  }

  async #load(): Promise<void> {
    const content = await this.#fileSystem.readFile(this.#path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return Buffer.alloc(0)
      throw error
    })
    const table = this.#table
    await inTurns(
      (function* () {
        for (const line of content.toString('utf8').split('\n')) {
          const use = line === '' ? undefined : parseUseLine(line)
          if (use !== undefined) table.put(use)
          yield
        }
      })(),
    )
    await this.#rewrite()
  }

  async #append(uses: readonly AuthUse[]): Promise<void> {
    if (this.#file === undefined || this.#lines > LINES_PER_USE * this.#table.size + SPARE_LINES) await this.#rewrite()
    const lines = Buffer.from(uses.map(useLine).join(''))
    try {
      await this.#file?.write(lines, this.#size)
    } catch (error) {
      // Part of it may be there: the next batch begins a file of which everything is known.
      await this.#file?.close().catch(() => {})
      this.#file = undefined
      throw error
    }
    this.#size += lines.length
    this.#lines += uses.length
    for (const use of uses) this.#table.put(use)
  }

  /** Replaces the file by one with the uses that count. */
  async #rewrite(): Promise<void> {
    this.#table.forgetBefore(this.#oldest())
    const temporary = `${this.#path}.new`
    const file = await this.#fileSystem.open(temporary, 'replace')
    const lines = [...this.#table.values()].map(useLine)
    const content = Buffer.from(lines.join(''))
    try {
      await file.write(content, 0)
      await file.sync()
      await this.#fileSystem.rename(temporary, this.#path)
    } catch (error) {
      await file.close().catch(() => {})
      throw error
    }
    await this.#file?.close().catch(() => {})
    this.#file = file
    this.#size = content.length
    this.#lines = lines.length
    await this.#fileSystem.syncFolder(this.#options.folder)
  }

  async #otherFiles(): Promise<FollowedUses[]> {
    const { folder, name, maxUses } = this.#options
    const names = (await this.#fileSystem.list(folder)).filter(
      (file) => file.endsWith(ENDING) && file !== name + ENDING,
    )
    for (const file of this.#others.keys()) if (!names.includes(file)) this.#others.delete(file)
    return names.map((file) => {
      const known = this.#others.get(file) ?? new FollowedUses(join(folder, file), maxUses)
      this.#others.set(file, known)
      return known
    })
  }
}

/** Of several uses of a domain by a principal the latest, without those before a time. */
function latest(uses: readonly AuthUse[], since: number): AuthUse[] {
  const byKey = new Map<string, AuthUse>()
  for (const use of uses) {
    if (use.epochSeconds < since) continue
    const key = useKey(use)
    const known = byKey.get(key)
    if (known === undefined || known.epochSeconds < use.epochSeconds) byKey.set(key, use)
  }
  return [...byKey.values()]
}
