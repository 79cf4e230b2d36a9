import { messageOf } from '../error/message-of.ts'
import type { ServiceError } from '../error/service-error.ts'
import { auditId } from './audit-id.ts'
import { type AuditEntry, type AuditLog, auditLine, unrecorded } from './audit-log.ts'
import { changeContent, lostContent } from './chain-line.ts'
import { ChainWriter, type ChainWriterOptions } from './chain-writer.ts'

/** What a log in files is made with. */
export interface FileAuditLogOptions extends ChainWriterOptions {
  /** Refuse changes that cannot be recorded. */
  readonly required: boolean
  /** Time between two attempts while the disk fails. */
  readonly retryMillis?: number
  /** Lines that are held in memory while the disk fails, in characters. */
  readonly maxHeld?: number
}

interface Waiting {
  readonly entry: AuditEntry
  readonly id: string
  readonly content: string
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

const RETRY_MILLIS = 1000
const MAX_HELD = 67_108_864
/** Lines are written together up to this size, in characters. */
const BATCH_LENGTH = 1_048_576

/**
 * The audit log as files of JSON lines, each of which carries a hash over itself and all before it. A change is confirmed
 * when its line is on the disk; those that arrive while a write is under way share the next one. When the disk fails, the
 * changes go to the server's log at level error and are held, up to a limit, until it takes them.
 */
export class FileAuditLog implements AuditLog {
  readonly required: boolean
  readonly #options: FileAuditLogOptions
  readonly #writer: ChainWriter
  readonly #now: () => number
  #waiting: Waiting[] = []
  /** Lines whose changes were told to the server's log, to be written when the disk works again. */
  #held: string[] = []
  #heldLength = 0
  #lost = 0
  #running: Promise<void> | undefined
  #retry: NodeJS.Timeout | undefined
  #problem: string | undefined
  #closed = false

  /** Opens the log and goes on where it ended. Rejects with an Error when the folder cannot be used. */
  static async open(options: FileAuditLogOptions): Promise<FileAuditLog> {
    return new FileAuditLog(options, await ChainWriter.open(options))
  }

  private constructor(options: FileAuditLogOptions, writer: ChainWriter) {
    this.#options = options
    this.#writer = writer
    this.#now = options.now ?? Date.now
    this.required = options.required
  }

  record(entry: AuditEntry): Promise<void> {
    const id = auditId(entry.when)
    const content = changeContent(entry, id)
    if (this.#problem !== undefined || this.#closed) {
      const refusal = this.#hold([{ entry, id, content }], this.#problem ?? 'the log is closed')
      return refusal ? Promise.reject(refusal) : Promise.resolve()
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ entry, id, content, resolve, reject })
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
    await this.#writer.close()
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
        await this.#writer.write(batch.map(({ content }) => content))
        for (const { resolve } of batch) resolve()
      } catch (error) {
        this.#fail([...batch, ...this.#waiting.splice(0)], messageOf(error))
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
  #hold(unwritten: readonly Pick<Waiting, 'entry' | 'id' | 'content'>[], reason: string): ServiceError | undefined {
    const { log, maxHeld = MAX_HELD } = this.#options
    for (const { entry, id, content } of unwritten) {
      const kept = !this.#closed && this.#heldLength + content.length <= maxHeld
      if (kept) {
        this.#held.push(content)
        this.#heldLength += content.length
      } else this.#lost++
      const fate = kept ? 'it is held in memory' : 'it is lost'
      log.error({ audit: auditLine(entry, id), reason }, `a change is not in the audit log: ${fate}`)
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
          await this.#writer.write(lost > 0 ? [...batch, lostContent(this.#now(), lost)] : batch)
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
      this.#problem = messageOf(error)
      if (this.#closed) log.error({ changes: this.#held.length }, 'changes held for the audit log are lost')
    }
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
