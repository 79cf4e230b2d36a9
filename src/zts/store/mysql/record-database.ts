import { setTimeout as wait } from 'node:timers/promises'
import { DatabaseError, type DatabaseFault } from '#core/database/database-error.ts'
import type { MySqlConnection, MySqlSettings } from '#core/database/mysql-connection.ts'
import { MySqlPool, type PoolLimits } from '#core/database/mysql-pool.ts'
import { messageOf } from '#core/error/message-of.ts'
import { ServiceError } from '#core/error/service-error.ts'
import { seldom } from '#core/log/seldom.ts'
import type { PoolState } from '#core/metrics/pool-metrics.ts'

/** Faults after which the same statement may succeed on another connection. */
const PASSING: ReadonlySet<DatabaseFault> = new Set<DatabaseFault>(['lost', 'contention', 'refused-commit'])
/** Faults that say that the data are out of reach now. */
const AWAY: ReadonlySet<DatabaseFault> = new Set<DatabaseFault>(['unreachable', 'lost', 'timeout', 'read-only'])
const ATTEMPTS = 3
/** So long a check waits for the database. */
const CHECK_MILLIS = 3_000

/** What is said of a database that is away. */
export interface RecordDatabaseReport {
  /** As people call the records. */
  readonly what: string
  /** What follows from it. */
  readonly consequence: string
  readonly log: (level: 'info' | 'error', message: string) => void
}

/** A database with tables of records, every statement a transaction of its own. */
export class RecordDatabase {
  readonly #pool: MySqlPool
  readonly #report: RecordDatabaseReport | undefined
  /** Why it is out of reach, as far as is known; undefined when it is not. */
  #problem: string | undefined
  #checking: Promise<void> | undefined
  readonly #sayReadOnly = seldom((reason: string) => this.#report?.log('error', this.#sentence(reason)))

  constructor(settings: MySqlSettings, limits: PoolLimits, report?: RecordDatabaseReport) {
    this.#pool = new MySqlPool(settings, limits)
    this.#report = report
  }

  /**
   * Runs a statement that may be repeated: again when a connection was lost or the database asks for it.
   * @throws ServiceError `unavailable` when the database cannot be reached, otherwise as DatabaseError says
   */
  async run<T>(work: (connection: MySqlConnection) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        const result = await this.#pool.use(work)
        this.#note(undefined)
        return result
      } catch (error) {
        if (!(error instanceof DatabaseError)) throw error
        if (attempt < ATTEMPTS && PASSING.has(error.fault)) {
          // The others of the pool are likely to be lost as well.
          if (error.fault === 'lost') this.#pool.clear()
          continue
        }
        if (!AWAY.has(error.fault)) throw error.toServiceError()
        // One that cannot be written still answers.
        if (error.fault === 'read-only') this.#sayReadOnly(error.message)
        else this.#note(error.message)
        throw away(error)
      }
    }
  }

  /** Asks the database for a sign of life; gives what is wrong, and what follows from it, when it gives none. */
  async check(): Promise<string | undefined> {
    this.#checking ??= this.#ask().finally(() => {
      this.#checking = undefined
    })
    const late = wait(CHECK_MILLIS, 'late' as const, { ref: false })
    if ((await Promise.race([this.#checking, late])) === 'late') this.#note('no answer')
    return this.#problem
  }

  /** What the connections are doing. */
  get state(): PoolState {
    return this.#pool.state
  }

  close(): void {
    this.#pool.close()
  }

  async #ask(): Promise<void> {
    try {
      await this.run((connection) => connection.rows('SELECT 1'))
    } catch (error) {
      if (this.#problem === undefined) this.#note(messageOf(error))
    }
  }

  /** Writes a line when it goes away and when it is back. */
  #note(reason: string | undefined): void {
    if (reason === undefined) {
      if (this.#problem !== undefined) this.#report?.log('info', `the database of ${this.#report.what} answers again`)
      this.#problem = undefined
      return
    }
    if (this.#problem === undefined) this.#report?.log('error', this.#sentence(reason))
    this.#problem = this.#sentence(reason)
  }

  #sentence(reason: string): string {
    const { what = 'records', consequence = 'nothing is recorded' } = this.#report ?? {}
    return `the database of ${what} cannot be used: ${consequence} (${reason})`
  }
}

const RETRY_AFTER_SECONDS = '10'

const away = (cause: DatabaseError) =>
  new ServiceError('unavailable', 'Records of instances are not available', {
    detail: cause.message,
    cause,
    headers: { 'retry-after': RETRY_AFTER_SECONDS },
  })
