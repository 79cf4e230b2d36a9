import { join } from 'node:path'
import { messageOf } from '../error/message-of.ts'
import { ServiceError } from '../error/service-error.ts'
import type { FileSystem, WritableFile } from '../seam/file-system.ts'
import { encodeFrame, type Frame } from './frame.ts'

/** A transaction on its way into the journal. */
export interface Commit {
  /** Time that the transaction was given and stamps objects with; the stamp of domains is never earlier. */
  readonly at: number
  /** JSON text of its list of changes. */
  readonly changes: string
  /** Called when the transaction is durable, in the order of sequences and before anybody learns of it. */
  readonly durable: (sequence: number, stamp: number) => void
}

/** Where a journal ends and what comes next. */
export interface JournalEnd {
  /** Number of the journal file. */
  readonly number: number
  /** Bytes of it that count. */
  readonly bytes: number
  /** Sequence of the last transaction. */
  readonly sequence: number
  /** Latest stamp given. */
  readonly stamp: number
}

/** What the first frame of a journal file says. */
export interface JournalHeader {
  readonly version: 1
  readonly number: number
  /** The file before this one: only so many bytes of it count. */
  readonly previous: { readonly number: number; readonly bytes: number }
}

interface Waiting {
  readonly commit: Commit
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** What a file is made longer by when it is full. */
const ROOM_BYTES = 64 * 1024

/** File of the journal with that number. */
export const journalFile = (folder: string, number: number): string =>
  join(folder, `${String(number).padStart(8, '0')}.journal`)

/**
 * The journal that makes transactions durable before anybody sees them. Those that arrive while a write is under way are
 * written together by the next one. Each gets a sequence and a stamp; stamps never go back in the order in which
 * transactions become visible, so who has seen one can ask for everything later.
 *
 * A write that fails is cut off again and fails its transactions; when that is impossible, or the disk did not confirm
 * what was written, the file is left alone and the journal goes on in a new one, whose beginning says how much of the old
 * one counts.
 *
 * Frames are written into room of zeros that was made durable before: what does not change the length of a file is safe
 * with its bytes alone. A new length depends on the file system's own journal as well, and Linux confirms it in the moment
 * in which ext4 gives that up, although it is lost (one in five times in `npm run faults -- disk-errors`).
 */
export class Journal {
  readonly #folder: string
  readonly #fileSystem: FileSystem
  readonly #abandoned: (file: string, reason: string) => void
  #waiting: Waiting[] = []
  #running: Promise<void> | undefined
  #rotation: PromiseWithResolvers<number> | undefined
  #file: WritableFile | undefined
  #number: number
  #bytes: number
  /** Bytes that the current file has, with the room behind its frames. */
  #length: number
  #sequence: number
  #stamp: number
  #failing = false
  #suspect = false
  #closed = false

  /** @param options.abandoned is told when a file is left because it can no longer be trusted */
  constructor(options: {
    folder: string
    fileSystem: FileSystem
    end: JournalEnd
    file: WritableFile | undefined
    abandoned: (file: string, reason: string) => void
  }) {
    this.#folder = options.folder
    this.#fileSystem = options.fileSystem
    this.#abandoned = options.abandoned
    this.#file = options.file
    this.#number = options.end.number
    this.#bytes = options.end.bytes
    this.#length = options.end.bytes
    this.#sequence = options.end.sequence
    this.#stamp = options.end.stamp
  }

  /** Sequence of the last transaction that is durable. */
  get sequence(): number {
    return this.#sequence
  }

  /** Bytes in the current file. */
  get bytes(): number {
    return this.#bytes
  }

  /** Whether there is a file that cannot be trusted, so that documents should take the place of all files soon. */
  get suspect(): boolean {
    return this.#suspect
  }

  /** A time for a new transaction: now, or later when the clock is behind the stamps. */
  timeFor(now: number): number {
    return Math.max(now, this.#stamp + 1)
  }

  /** Resolves when the transaction is durable and applied. Errors: `unavailable`, nothing has changed then. */
  append(commit: Commit): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(unavailable(new Error('the journal is closed')))
        return
      }
      this.#waiting.push({ commit, resolve, reject })
      this.#wake()
    })
  }

  /** Goes on in a new file; gives its number. All transactions in the files before it are applied then. */
  rotate(): Promise<number> {
    this.#rotation ??= Promise.withResolvers<number>()
    this.#wake()
    return this.#rotation.promise
  }

  /** Removes the files before the one with that number; a crash meanwhile leaves the later ones. */
  async removeBefore(number: number): Promise<void> {
    const numbers = (await this.#fileSystem.list(this.#folder)).map(numberOf).filter((each) => each < number)
    for (const each of numbers.toSorted((a, b) => a - b)) {
      await this.#fileSystem.remove(journalFile(this.#folder, each))
      await this.#fileSystem.syncFolder(this.#folder)
    }
    this.#suspect = false
  }

  /** Whether transactions can be written now; tries to begin a file when the last write failed. */
  async check(): Promise<boolean> {
    if (this.#file && !this.#failing) return true
    return this.rotate().then(
      () => true,
      () => false,
    )
  }

  /** Waits for what was appended and marks the end, so that damage found later cannot be mistaken for a torn write. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#running
    try {
      // A new file also says that what was written last in an abandoned one does not count.
      const file = this.#file ?? (await this.#begin())
      await this.#write(file, { kind: 'end', sequence: this.#sequence, content: '' })
      await file.truncate(this.#bytes)
    } catch {
      // Everything acknowledged is durable without the mark.
    }
    await this.#file?.close().catch(() => {})
    this.#file = undefined
  }

  #wake(): void {
    if (this.#running) return
    this.#running = this.#run().finally(() => {
      this.#running = undefined
      if (this.#waiting.length > 0 || this.#rotation) this.#wake()
    })
  }

  async #run(): Promise<void> {
    // Whoever is about to append in this turn of the event loop shares the write.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#waiting.length > 0 || this.#rotation) {
      if (this.#rotation) await this.#rotate(this.#rotation)
      if (this.#waiting.length > 0) await this.#commit(this.#waiting.splice(0))
    }
  }

  async #rotate(rotation: PromiseWithResolvers<number>): Promise<void> {
    this.#rotation = undefined
    const former = this.#file
    try {
      await this.#begin()
      rotation.resolve(this.#number)
    } catch (error) {
      rotation.reject(error)
      return
    }
    await former?.close().catch(() => {})
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    const first = this.#sequence + 1
    // Stamps of one batch become visible together and need no order among them.
    const stamps = batch.map(({ commit }) => this.timeFor(commit.at))
    const lines = batch.map(
      ({ commit }, index) =>
        `{"sequence":${first + index},"at":${commit.at},"stamp":${stamps[index]},"changes":${commit.changes}}\n`,
    )
    try {
      const file = this.#file ?? (await this.#begin())
      await this.#write(file, { kind: 'batch', sequence: first, content: lines.join('') })
    } catch (error) {
      for (const { reject } of batch) reject(unavailable(error))
      return
    }
    this.#sequence += batch.length
    this.#stamp = stamps.reduce((latest, stamp) => Math.max(latest, stamp), this.#stamp)
    batch.forEach(({ commit }, index) => commit.durable(first + index, stamps[index] as number))
    for (const { resolve } of batch) resolve()
  }

  async #write(file: WritableFile, frame: Frame): Promise<void> {
    const bytes = encodeFrame(frame)
    const end = this.#bytes + bytes.length
    if (end > this.#length) await this.#makeRoom(file, end)
    await this.#put(file, bytes, this.#bytes)
    this.#bytes = end
    this.#failing = false
  }

  async #makeRoom(file: WritableFile, end: number): Promise<void> {
    const missing = end - this.#length
    try {
      await this.#put(file, Buffer.alloc(missing + ROOM_BYTES), this.#length)
    } catch (error) {
      // The last bytes of a disk are good for something, too.
      if (this.#file !== file || !isNoRoom(error)) throw error
      await this.#put(file, Buffer.alloc(missing), this.#length)
    }
  }

  /** Writes at that place, and makes it durable; what was there, and all behind it, is lost when that fails. */
  async #put(file: WritableFile, data: Buffer, position: number): Promise<void> {
    try {
      await file.write(data, position)
    } catch (error) {
      this.#failing = true
      this.#length = position
      await file.truncate(position).catch(() => this.#abandon(file, error))
      throw error
    }
    this.#length = Math.max(this.#length, position + data.length)
    try {
      await file.sync()
    } catch (error) {
      await this.#abandon(file, error)
      throw error
    }
  }

  async #abandon(file: WritableFile, reason: unknown): Promise<void> {
    this.#file = undefined
    this.#suspect = true
    await file.close().catch(() => {})
    this.#abandoned(journalFile(this.#folder, this.#number), messageOf(reason))
  }

  /** Begins the next file. When that fails, everything stays as it was, and the same number is tried again later. */
  async #begin(): Promise<WritableFile> {
    const number = this.#number + 1
    const header: JournalHeader = { version: 1, number, previous: { number: this.#number, bytes: this.#bytes } }
    const path = journalFile(this.#folder, number)
    const frame = encodeFrame({ kind: 'journal', sequence: this.#sequence + 1, content: `${JSON.stringify(header)}\n` })
    const file = await this.#fileSystem.open(path, 'replace')
    try {
      await file.write(frame, 0)
      await file.sync()
      await this.#fileSystem.syncFolder(this.#folder)
    } catch (error) {
      await file.close().catch(() => {})
      await this.#fileSystem.remove(path).catch(() => {})
      throw error
    }
    this.#file = file
    this.#number = number
    this.#bytes = frame.length
    this.#length = frame.length
    this.#failing = false
    return file
  }
}

const isNoRoom = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')

/** Number of the journal file with that name; NaN for other files. */
export function numberOf(name: string): number {
  const match = /^(\d{8,15})\.journal$/.exec(name)
  return match ? Number(match[1]) : Number.NaN
}

const unavailable = (cause: unknown) =>
  new ServiceError('unavailable', 'The change could not be stored', {
    detail: messageOf(cause),
    cause,
  })
