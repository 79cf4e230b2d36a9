import { join } from 'node:path'
import type { ServiceError } from '../error/service-error.ts'
import type { Logger } from '../log/logger.ts'
import type { Clock } from '../seam/clock.ts'
import { type FileLock, type FileSystem, nodeFileSystem, type WritableFile } from '../seam/file-system.ts'
import { type AuditFile, auditFile, auditFilesIn, dayOf, encodeHead, headFile, lockFile } from './audit-files.ts'
import { auditId } from './audit-id.ts'
import { type AuditEntry, type AuditLog, auditLine, unrecorded } from './audit-log.ts'
import { type ChainEnd, findLog } from './chain-end.ts'
import {
  beginContent,
  CHAIN_START,
  type ChainPosition,
  changeContent,
  lostContent,
  type PreviousFile,
  sealLine,
} from './chain-line.ts'
import type { ChainSeal } from './chain-seal.ts'

/** What a log in files is made with. */
export interface FileAuditLogOptions {
  /** Made when it is missing, for this user only. One server at a time writes to it. */
  readonly folder: string
  readonly seal: ChainSeal
  /** The server that writes: `zms` or `zts`, and the name of its machine. */
  readonly server: string
  readonly host: string
  /** A file that would grow beyond this is followed by a new one. */
  readonly maxFileBytes: number
  /** Begin a new file with every UTC day. */
  readonly daily: boolean
  /** Files that ended longer ago are deleted; 0 keeps all. */
  readonly retainDays: number
  /** Refuse changes that cannot be recorded. */
  readonly required: boolean
  readonly log: Logger
  readonly fileSystem?: FileSystem
  readonly now?: Clock
  /** Time between two attempts while the disk fails. */
  readonly retryMillis?: number
  /** Lines that are held in memory while the disk fails, in characters. */
  readonly maxHeld?: number
}

interface Waiting {
  readonly entry: AuditEntry
  readonly content: string
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

const DAY_MILLIS = 86_400_000
const RETRY_MILLIS = 1000
const MAX_HELD = 67_108_864
/** Lines are written together up to this size, in characters. */
const BATCH_LENGTH = 1_048_576

/**
 * The audit log as files of JSON lines, each of which carries a hash over itself and all before it. A change is confirmed
 * when its line is on the disk; those that arrive while a write is under way share the next one. When the disk fails, the
 * changes go to the server's log at level error and are held, up to a limit, until it takes them.
 *
 * The files are numbered: a file names the one before it and how much of it counts. How far the log reaches is noted
 * beside them after every write, so that lines missing at the end are noticed.
 */
export class FileAuditLog implements AuditLog {
  readonly required: boolean
  readonly #options: FileAuditLogOptions
  readonly #fileSystem: FileSystem
  readonly #now: Clock
  readonly #lock: FileLock
  #file: { readonly info: AuditFile; readonly handle: WritableFile } | undefined
  /** How the last file ended, once it is left. */
  #previous: PreviousFile | undefined
  #nextNumber: number
  #next: AuditFile | undefined
  #bytes = 0
  #position: ChainPosition
  #head: WritableFile | undefined
  #waiting: Waiting[] = []
  /** Lines whose changes were told to the server's log, to be written when the disk works again. */
  #held: string[] = []
  #heldLength = 0
  #lost = 0
  #running: Promise<void> | undefined
  #retry: NodeJS.Timeout | undefined
  #problem: string | undefined
  #closed = false

  /**
   * Opens the log and goes on where it ended: cuts off what a crash has left of a write, and reports what is missing.
   * Rejects with an Error when the folder cannot be used or another server writes there.
   */
  static async open(options: FileAuditLogOptions): Promise<FileAuditLog> {
    const { folder, fileSystem = nodeFileSystem } = options
    await fileSystem.makeFolder(folder)
    const lock = await fileSystem.lock(lockFile(folder))
    if (!lock) throw new Error(`the audit log ${folder} is in use by another server`)
    try {
      const found = await findLog(fileSystem, folder, options.seal)
      const log = new FileAuditLog(options, lock, found.nextNumber, found.end?.position ?? CHAIN_START)
      if (found.stillborn) await fileSystem.remove(join(folder, found.stillborn.name))
      await log.#goOn(found.end)
      return log
    } catch (error) {
      lock.release()
      throw error
    }
  }

  private constructor(options: FileAuditLogOptions, lock: FileLock, nextNumber: number, position: ChainPosition) {
    this.#options = options
    this.#fileSystem = options.fileSystem ?? nodeFileSystem
    this.#now = options.now ?? Date.now
    this.#lock = lock
    this.#nextNumber = nextNumber
    this.#position = position
    this.required = options.required
  }

  record(entry: AuditEntry): Promise<void> {
    const content = changeContent(entry, auditId(entry.when))
    if (this.#problem !== undefined || this.#closed) {
      const waiting = { entry, content, resolve: () => {}, reject: () => {} }
      const refusal = this.#hold([waiting], this.#problem ?? 'the log is closed')
      return refusal ? Promise.reject(refusal) : Promise.resolve()
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ entry, content, resolve, reject })
      this.#wake()
    })
  }

  problem(): string | undefined {
    return this.#problem && `the audit log cannot be written: ${this.#problem}`
  }

  /** Writes what waits, and what was held if the disk takes it now. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#retry)
    await this.#running
    if (this.#problem !== undefined) await this.#writeHeld()
    try {
      await this.#head?.sync()
    } catch {
      // The note may be behind the lines; it must only not be ahead of them.
    }
    await this.#head?.close().catch(() => {})
    await this.#file?.handle.close().catch(() => {})
    this.#lock.release()
  }

  /** Continues the last file when it is whole; begins one otherwise, so that the log itself says what was found. */
  async #goOn(end: ChainEnd | undefined): Promise<void> {
    const { folder, log } = this.#options
    if (end === undefined) return this.#begin()
    const { file, number, bytes, torn, damage, sameSeal, position } = end
    this.#bytes = bytes
    if (file && torn === 0 && damage === undefined && sameSeal) {
      const handle = await this.#fileSystem.open(join(folder, file.name), 'existing')
      this.#file = { info: file, handle }
      return this.#writeHead({ sync: true })
    }
    this.#previous = {
      file: number,
      bytes,
      hash: position.hash,
      ...(torn > 0 && { cut: torn }),
      ...(damage !== undefined && { damage }),
    }
    await this.#begin()
    const known = { file: file?.name, line: position.seq }
    if (damage !== undefined) log.error({ ...known, damage }, 'the audit log is damaged; it goes on in a new file')
    if (file && torn > 0) {
      await this.#cut(file, bytes)
      log.warn(
        { ...known, bytes: torn },
        'the end of the audit log was torn by a crash and is cut off; the changes it was about were not acknowledged',
      )
    }
  }

  /** The new file says by now what is to be cut off, so that nothing depends on it. */
  async #cut(file: AuditFile, bytes: number): Promise<void> {
    const { folder, log } = this.#options
    try {
      const handle = await this.#fileSystem.open(join(folder, file.name), 'existing')
      try {
        await handle.truncate(bytes)
        await handle.sync()
      } finally {
        await handle.close()
      }
    } catch (error) {
      log.warn({ err: error, file: file.name }, 'the torn end of a file of the audit log cannot be cut off')
    }
  }

  #wake(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
      if (this.#waiting.length > 0) this.#wake()
    })
  }

  async #run(): Promise<void> {
    // Whoever is about to record in this turn of the event loop shares the write.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#waiting.length > 0) {
      const batch = takeUpTo(this.#waiting, BATCH_LENGTH, ({ content }) => content.length)
      try {
        await this.#write(batch.map(({ content }) => content))
        for (const { resolve } of batch) resolve()
      } catch (error) {
        this.#fail([...batch, ...this.#waiting.splice(0)], reasonOf(error))
      }
    }
  }

  #fail(unwritten: readonly Waiting[], reason: string): void {
    this.#problem = reason
    const refusal = this.#hold(unwritten, reason)
    for (const { resolve, reject } of unwritten) {
      if (refusal) reject(refusal)
      else resolve()
    }
    this.#retryLater()
  }

  /** Tells the operator of changes that are not in the log; gives the error for their clients when they are to know. */
  #hold(unwritten: readonly Waiting[], reason: string): ServiceError | undefined {
    const { log, maxHeld = MAX_HELD } = this.#options
    for (const { entry, content } of unwritten) {
      const kept = !this.#closed && this.#heldLength + content.length <= maxHeld
      if (kept) {
        this.#held.push(content)
        this.#heldLength += content.length
      } else this.#lost++
      const fate = kept ? 'it is held in memory' : 'it is lost'
      log.error({ audit: auditLine(entry, auditId(entry.when)), reason }, `a change is not in the audit log: ${fate}`)
    }
    return this.required ? unrecorded(reason) : undefined
  }

  #retryLater(): void {
    if (this.#closed) return
    this.#retry = setTimeout(() => {
      this.#running ??= this.#writeHeld().finally(() => {
        this.#running = undefined
        if (this.#problem !== undefined) this.#retryLater()
        else if (this.#waiting.length > 0) this.#wake()
      })
    }, this.#options.retryMillis ?? RETRY_MILLIS).unref()
  }

  /** Writes what was held. New changes are held as well until all of it is written, so that the order stays. */
  async #writeHeld(): Promise<void> {
    const { log } = this.#options
    let written = 0
    try {
      while (this.#held.length > 0 || this.#lost > 0) {
        const batch = takeUpTo(this.#held, BATCH_LENGTH, (content) => content.length)
        const lost = this.#held.length === 0 ? this.#lost : 0
        try {
          await this.#write(lost > 0 ? [...batch, lostContent(this.#now(), lost)] : batch)
        } catch (error) {
          this.#held.unshift(...batch)
          throw error
        }
        this.#heldLength -= batch.reduce((sum, { length }) => sum + length, 0)
        this.#lost -= lost
        written += batch.length
      }
      this.#problem = undefined
      log.info({ changes: written }, 'the audit log is written again; it has the changes that were held in memory')
    } catch (error) {
      this.#problem = reasonOf(error)
      if (this.#closed) log.error({ changes: this.#held.length }, 'changes held for the audit log are lost')
    }
  }

  /** Appends lines. When it resolves, they survive a crash; when it rejects, none of them counts. */
  async #write(contents: readonly string[]): Promise<void> {
    await this.#rotateIfDue(contents.reduce((sum, { length }) => sum + length, 0))
    const file = this.#file
    if (!file) throw new Error('there is no file')
    let position = this.#position
    const texts: string[] = []
    for (const content of contents) {
      const line = sealLine(this.#options.seal, position, content)
      texts.push(line.text)
      position = line.position
    }
    const data = Buffer.from(texts.join(''))
    try {
      await file.handle.write(data, this.#bytes)
    } catch (error) {
      await file.handle.truncate(this.#bytes).catch(() => this.#abandon())
      throw error
    }
    try {
      await file.handle.sync()
    } catch (error) {
      // What a disk that fails to sync has kept cannot be known, not even by asking again.
      await this.#abandon()
      throw error
    }
    this.#bytes += data.length
    this.#position = position
    // The note may be behind, so nobody has to wait until it is on the disk.
    await this.#writeHead({ sync: false }).catch((error: unknown) => this.#headFailed(error))
  }

  async #rotateIfDue(length: number): Promise<void> {
    const { maxFileBytes, daily } = this.#options
    const file = this.#file
    if (!file) return this.#begin()
    const full = this.#bytes + length > maxFileBytes
    if (!full && !(daily && dayOf(this.#now()) > file.info.day)) return
    // Only a new file that is there takes the place of the old one.
    this.#previous = { file: file.info.number, bytes: this.#bytes, hash: this.#position.hash }
    await this.#begin()
    await file.handle.close().catch(() => {})
  }

  async #abandon(): Promise<void> {
    const file = this.#file
    if (!file) return
    this.#file = undefined
    this.#previous = { file: file.info.number, bytes: this.#bytes, hash: this.#position.hash, abandoned: true }
    await file.handle.close().catch(() => {})
    this.#options.log.error({ file: file.info.name }, 'a file of the audit log is given up because the disk failed')
  }

  /** Begins the next file. When that fails, everything stays as it was, and the same number is tried again. */
  async #begin(): Promise<void> {
    const { folder, seal, server, host } = this.#options
    const now = this.#now()
    // The name of a failed attempt is used again, so that no number can have two files.
    const info = (this.#next ??= auditFile(this.#nextNumber, now))
    const files = auditFilesIn(await this.#fileSystem.list(folder))
    const outdated = this.#outdated(files, now)
    const oldest = files.find((file) => !outdated.includes(file))?.number ?? info.number
    const content = beginContent(now, server, host, {
      file: info.number,
      oldest,
      chain: seal.kind,
      ...(seal.keyId !== undefined && { key: seal.keyId }),
      ...(this.#previous && { previous: this.#previous }),
    })
    const line = sealLine(seal, this.#position, content)
    const data = Buffer.from(line.text)
    const path = join(folder, info.name)
    const handle = await this.#fileSystem.open(path, 'replace')
    try {
      await handle.write(data, 0)
      await handle.sync()
      await this.#fileSystem.syncFolder(folder)
    } catch (error) {
      await handle.close().catch(() => {})
      await this.#fileSystem.remove(path).catch(() => {})
      throw error
    }
    this.#file = { info, handle }
    this.#next = undefined
    this.#nextNumber = info.number + 1
    this.#bytes = data.length
    this.#position = line.position
    await this.#writeHead({ sync: true }).catch((error: unknown) => this.#headFailed(error))
    for (const file of outdated) await this.#remove(file)
  }

  /** Files whose successor was begun long enough ago. */
  #outdated(files: readonly AuditFile[], now: number): readonly AuditFile[] {
    const { retainDays } = this.#options
    if (retainDays === 0) return []
    const limit = dayOf(now) - retainDays * DAY_MILLIS
    const kept = files.findIndex((_, index) => (files[index + 1]?.day ?? now) >= limit)
    return files.slice(0, kept < 0 ? 0 : kept)
  }

  async #remove(file: AuditFile): Promise<void> {
    const { folder, log } = this.#options
    try {
      await this.#fileSystem.remove(join(folder, file.name))
    } catch (error) {
      log.warn({ err: error, file: file.name }, 'an old file of the audit log cannot be deleted')
    }
  }

  async #writeHead({ sync }: { sync: boolean }): Promise<void> {
    const { folder, seal } = this.#options
    if (!this.#file) return
    const created = this.#head === undefined
    this.#head ??= await this.#openHead()
    const { seq, hash } = this.#position
    const head = { file: this.#file.info.number, bytes: this.#bytes, seq, hash }
    await this.#head.write(encodeHead(seal, head), 0)
    if (!sync) return
    await this.#head.sync()
    if (created) await this.#fileSystem.syncFolder(folder)
  }

  async #openHead(): Promise<WritableFile> {
    const path = headFile(this.#options.folder)
    try {
      return await this.#fileSystem.open(path, 'existing')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      return this.#fileSystem.open(path, 'new')
    }
  }

  #headFailed(error: unknown): void {
    this.#options.log.warn({ err: error }, 'how far the audit log reaches cannot be noted')
  }
}

/** Takes items from the front, at least one, until their sizes would exceed the limit. */
function takeUpTo<T>(items: T[], limit: number, sizeOf: (item: T) => number): T[] {
  let [count, size] = [0, 0]
  for (const item of items) {
    size += sizeOf(item)
    if (count > 0 && size > limit) break
    count++
  }
  return items.splice(0, count)
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
