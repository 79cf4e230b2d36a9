import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { BatchedFile } from '../log/batched-file.ts'
import type { Logger } from '../log/logger.ts'
import { makeFolders } from '../seam/make-folders.ts'
import { type AccessLogLine, accessLogLine } from './access-log-line.ts'
import { type DatedName, datedName } from './dated-name.ts'
import type { Exchange } from './exchange.ts'

/** Where the access log goes. */
export interface AccessLogOptions {
  readonly folder: string
  /** Name of the files; `yyyy`, `MM` and `dd` stand for the UTC date. */
  readonly name: string
  /** How many days a file is kept after its own. */
  readonly retainDays: number
  /** Log the last address in X-Forwarded-For, when it is one, instead of that of the peer. */
  readonly logForwardedAddress?: boolean
  readonly log: Logger
  /** Epoch milliseconds. */
  readonly now?: () => number
}

const DAY_MILLIS = 86_400_000

/**
 * One line for every exchange, in a file a day. Lines are written in batches and off the request's path; what the disk
 * does not take is reported in the server's log and never holds up an answer.
 */
export class AccessLog {
  readonly #options: AccessLogOptions
  readonly #name: DatedName
  readonly #line: AccessLogLine
  readonly #now: () => number
  #file: BatchedFile
  #dayEndMillis: number
  #rolling: Promise<void> | undefined

  /** Makes the folder, opens the file of the day and deletes old ones. Rejects when the file cannot be written. */
  static async open(options: AccessLogOptions): Promise<AccessLog> {
    const { folder, name, now = Date.now } = options
    await makeFolders(folder)
    const log = new AccessLog(options, await openFile(options, datedName(name).at(now())))
    await log.#deleteOld()
    return log
  }

  private constructor(options: AccessLogOptions, file: BatchedFile) {
    this.#options = options
    this.#name = datedName(options.name)
    this.#line = accessLogLine(options.logForwardedAddress === true)
    this.#now = options.now ?? Date.now
    this.#dayEndMillis = dayEnd(this.#now())
    this.#file = file
  }

  /** Adds the line of an exchange: an observer of the server. */
  readonly observe = (exchange: Exchange): void => {
    const now = this.#now()
    if (now >= this.#dayEndMillis) this.#roll(now)
    this.#file.write(this.#line(exchange, now))
  }

  /** Writes what is held back and closes the file. */
  async close(): Promise<void> {
    await this.#rolling
    await this.#file.close()
  }

  /** Lines go to the old file until the new one is open, or cannot be opened. */
  #roll(now: number): void {
    this.#dayEndMillis = dayEnd(now)
    if (this.#name.dated) this.#rolling ??= this.#reopen(now).finally(() => (this.#rolling = undefined))
  }

  async #reopen(now: number): Promise<void> {
    const old = this.#file
    try {
      this.#file = await openFile(this.#options, this.#name.at(now))
      await old.close()
      await this.#deleteOld()
    } catch (error) {
      this.#options.log.error({ err: error, file: old.path }, 'the access log of the day cannot be opened')
    }
  }

  async #deleteOld(): Promise<void> {
    const { folder, retainDays, log } = this.#options
    const oldest = dayEnd(this.#now()) - (retainDays + 1) * DAY_MILLIS
    try {
      for (const name of await readdir(folder)) {
        const day = this.#name.dayOf(name)
        if (day !== undefined && day < oldest) await rm(join(folder, name), { force: true })
      }
    } catch (error) {
      log.warn({ err: error, folder }, 'old access logs cannot be deleted')
    }
  }
}

function openFile({ folder, log }: AccessLogOptions, name: string): Promise<BatchedFile> {
  const file = join(folder, name)
  return BatchedFile.open(file, {
    onError: (error) => log.error({ err: error, file }, 'the access log cannot be written'),
    onLost: (lines) => log.error({ file, lines }, 'lines of the access log are lost'),
  })
}

const dayEnd = (epochMillis: number): number => (Math.floor(epochMillis / DAY_MILLIS) + 1) * DAY_MILLIS
