import { DatabaseError, type DatabaseFault } from '#core/database/database-error.ts'
import type { MySqlConnection, MySqlSettings } from '#core/database/mysql-connection.ts'
import { MySqlPool, type PoolLimits } from '#core/database/mysql-pool.ts'
import { ServiceError } from '#core/error/service-error.ts'
import type { PoolState } from '#core/metrics/pool-metrics.ts'

/** Faults after which the same statement may succeed on another connection. */
const PASSING: ReadonlySet<DatabaseFault> = new Set<DatabaseFault>(['lost', 'contention', 'refused-commit'])
/** Faults that say that the data are out of reach now. */
const AWAY: ReadonlySet<DatabaseFault> = new Set<DatabaseFault>(['unreachable', 'lost', 'timeout', 'read-only'])
const ATTEMPTS = 3

/** A database with tables of records, every statement a transaction of its own. */
export class RecordDatabase {
  readonly #pool: MySqlPool

  constructor(settings: MySqlSettings, limits: PoolLimits) {
    this.#pool = new MySqlPool(settings, limits)
  }

  /**
   * Runs a statement that may be repeated: again when a connection was lost or the database asks for it.
   * @throws ServiceError `unavailable` when the database cannot be reached, otherwise as DatabaseError says
   */
  async run<T>(work: (connection: MySqlConnection) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#pool.use(work)
      } catch (error) {
        if (!(error instanceof DatabaseError)) throw error
        if (attempt < ATTEMPTS && PASSING.has(error.fault)) {
          // The others of the pool are likely to be lost as well.
          if (error.fault === 'lost') this.#pool.clear()
          continue
        }
        throw AWAY.has(error.fault) ? away(error) : error.toServiceError()
      }
    }
  }

  /** What the connections are doing. */
  get state(): PoolState {
    return this.#pool.state
  }

  close(): void {
    this.#pool.close()
  }
}

const RETRY_AFTER_SECONDS = '10'

const away = (cause: DatabaseError) =>
  new ServiceError('unavailable', 'Records of instances are not available', {
    detail: cause.message,
    cause,
    headers: { 'retry-after': RETRY_AFTER_SECONDS },
  })
