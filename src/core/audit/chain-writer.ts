import { join } from 'node:path'
import type { Logger } from '../log/logger.ts'
import type { Clock } from '../seam/clock.ts'
import { type FileLock, type FileSystem, nodeFileSystem, type WritableFile } from '../seam/file-system.ts'
import {
  type AuditFile,
  auditFile,
  auditFilesIn,
  dayOf,
  encodeHead,
  firstLine,
  headFile,
  lockFile,
} from './audit-files.ts'
import { type ChainEnd, type FoundLog, findLog } from './chain-end.ts'
import {
  beginContent,
  CHAIN_START,
  type ChainPosition,
  type PreviousFile,
  readBeginning,
  sealLine,
} from './chain-line.ts'
import type { ChainSeal } from './chain-seal.ts'

/** What the files of a log are made with. */
export interface ChainWriterOptions {
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
  readonly log: Logger
  readonly fileSystem?: FileSystem
  readonly now?: Clock
}

const DAY_MILLIS = 86_400_000

/**
 * Writes lines to the files of an audit log. The files are numbered: each names the one before it and how much of that
 * counts. How far the log reaches is noted beside them after every write, so that lines missing at the end are noticed.
 * One write at a time.
 */
export class ChainWriter {
  readonly #options: ChainWriterOptions
  readonly #fileSystem: FileSystem
  readonly #now: Clock
  readonly #lock: FileLock
  #file: { readonly info: AuditFile; readonly handle: WritableFile } | undefined
  /** How the last file ended, once it is left. */
  #previous: PreviousFile | undefined
  #nextNumber: number
  #next: AuditFile | undefined
  /** Files before this one have been deleted because of their age. */
  #oldest: number
  #bytes = 0
  #position: ChainPosition
  #head: WritableFile | undefined

  /**
   * Opens the files and goes on where they end: cuts off what a crash has left of a write, and reports what is missing.
   * Rejects with an Error when the folder cannot be used or another server writes there.
   */
  static async open(options: ChainWriterOptions): Promise<ChainWriter> {
    const { folder, fileSystem = nodeFileSystem } = options
    await fileSystem.makeFolder(folder)
    const lock = await fileSystem.lock(lockFile(folder))
    if (!lock) throw new Error(`the audit log ${folder} is in use by another server`)
    let writer: ChainWriter | undefined
    try {
      const found = await findLog(fileSystem, folder, options.seal)
      writer = new ChainWriter(options, lock, found)
      if (found.stillborn) await fileSystem.remove(join(folder, found.stillborn.name))
      await writer.#goOn(found.end)
      return writer
    } catch (error) {
      if (writer) await writer.close()
      else lock.release()
      throw error
    }
  }

  private constructor(options: ChainWriterOptions, lock: FileLock, { end, nextNumber }: FoundLog) {
    this.#options = options
    this.#fileSystem = options.fileSystem ?? nodeFileSystem
    this.#now = options.now ?? Date.now
    this.#lock = lock
    this.#nextNumber = nextNumber
    this.#oldest = end?.oldest ?? nextNumber
    this.#position = end?.position ?? CHAIN_START
  }

  /** Appends lines. When it resolves, they survive a crash; when it rejects, none of them counts. */
  async write(contents: readonly string[]): Promise<void> {
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

  /** Confirms the note of how far the log reaches and lets go of the files. */
  async close(): Promise<void> {
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
    // The next file says how much of this one counts; what stands behind it should not confuse its readers either.
    await file.handle.truncate(this.#bytes).catch(() => {})
    await file.handle.close().catch(() => {})
    this.#options.log.error({ file: file.info.name }, 'a file of the audit log is given up because the disk failed')
  }

  /** Begins the next file. When that fails, everything stays as it was, and the same number is tried again. */
  async #begin(): Promise<void> {
    const { folder, seal, server, host } = this.#options
    const now = this.#now()
    // The name of a failed attempt is used again, so that no number can have two files.
    const info = (this.#next ??= auditFile(this.#nextNumber, now))
    const outdated = await this.#outdated(now)
    const oldest = (outdated.at(-1)?.number ?? this.#oldest - 1) + 1
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
    this.#oldest = oldest
    this.#nextNumber = info.number + 1
    this.#bytes = data.length
    this.#position = line.position
    await this.#writeHead({ sync: true }).catch((error: unknown) => this.#headFailed(error))
    for (const file of outdated) await this.#remove(file)
  }

  /** Files whose successor was begun long enough ago. What their names say must be what is written in them. */
  async #outdated(now: number): Promise<readonly AuditFile[]> {
    const { folder, retainDays } = this.#options
    if (retainDays === 0) return []
    const limit = dayOf(now) - retainDays * DAY_MILLIS
    const files = auditFilesIn(await this.#fileSystem.list(folder))
    const outdated: AuditFile[] = []
    for (const [index, file] of files.entries()) {
      const successor = files[index + 1]
      if (!successor || successor.day >= limit || (await this.#begunAt(successor)) >= limit) break
      outdated.push(file)
    }
    return outdated
  }

  /** When a file was begun, by its first line; never when that is not as this log wrote it. */
  async #begunAt({ name, number }: AuditFile): Promise<number> {
    const { folder, seal, log } = this.#options
    const line = firstLine(await this.#fileSystem.readFile(join(folder, name)))
    const beginning = line && readBeginning(line)
    const keptKey = beginning?.key === seal.keyId
    const before = beginning?.previous?.hash ?? CHAIN_START.hash
    const right = beginning?.file === number && (!keptKey || seal.hash(before, beginning.sealed) === beginning.hash)
    if (right) return beginning.begun
    log.error({ file: name }, 'a file of the audit log is not as it was written; no file before it is deleted')
    return Number.POSITIVE_INFINITY
  }

  async #remove(file: AuditFile): Promise<void> {
    const { folder, log } = this.#options
    try {
      await this.#fileSystem.remove(join(folder, file.name))
      // In their order, so that a crash leaves no gap between them.
      await this.#fileSystem.syncFolder(folder)
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
