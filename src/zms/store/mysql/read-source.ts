import { DatabaseError, type DatabaseFault } from '#core/database/database-error.ts'
import type { MySqlConnection } from '#core/database/mysql-connection.ts'
import type { MySqlPool } from '#core/database/mysql-pool.ts'

type Pool = Pick<MySqlPool, 'use'>

/** What reads may be sent to, and when. */
export interface ReadSourceOptions {
  readonly primary: Pool
  readonly replica: Pool | undefined
  /** Whether the operator has declared that nothing is written: then a copy may answer while the primary is away. */
  readonly readOnly: () => boolean
  readonly log: (level: 'info' | 'warn', message: string) => void
  /** Time between two looks whether a database that went away is back. */
  readonly probeMillis?: number
}

const PROBE = 'SELECT 1 FROM domain LIMIT 1'
const PROBE_MILLIS = 2_000
/** A copy that answers, but with errors, is not well a moment later. */
const UNWELL_PROBES = 30
const PASSING: ReadonlySet<DatabaseFault> = new Set<DatabaseFault>(['unreachable', 'lost', 'timeout', 'contention'])

/**
 * Where data are read. What must not be older than the request that asks is read from the primary. A copy serves for
 * domains of a known stamp, and for everything in read-only mode while the primary cannot be reached. A database that does
 * not answer is left alone until it does: no request waits for it again.
 */
export class ReadSource {
  readonly #options: ReadSourceOptions
  readonly #primary: Reachability
  readonly #replica: Reachability | undefined

  constructor(options: ReadSourceOptions) {
    const { primary, replica, log, probeMillis = PROBE_MILLIS } = options
    this.#options = options
    this.#primary = new Reachability(primary, probeMillis, (isAway) => {
      if (isAway) log('warn', 'read-only mode: the primary database cannot be reached, the replica answers for it')
      else log('info', 'the primary database answers again')
    })
    this.#replica =
      replica &&
      new Reachability(replica, probeMillis, (isAway) => {
        if (isAway) log('warn', 'the replica cannot be read, the primary database answers for it')
        else log('info', 'the replica can be read again')
      })
  }

  /** Whether reads go to the copy now. */
  get isReplica(): boolean {
    return this.#primary.isAway && this.#mayFallBack()
  }

  /** Runs something that reads, on the primary or, where that is allowed, on the copy; `isReplica` says which. */
  async use<T>(work: (connection: MySqlConnection, isReplica: boolean) => Promise<T>): Promise<T> {
    const { primary, replica } = this.#options
    if (!this.isReplica) {
      try {
        return await primary.use((connection) => work(connection, false))
      } catch (error) {
        if (!(error instanceof DatabaseError) || error.fault !== 'unreachable' || !this.#mayFallBack()) throw error
        this.#primary.lost()
      }
    }
    return (replica ?? primary).use((connection) => work(connection, true))
  }

  /** The same for a connection that the caller keeps. */
  async connect<T>(open: { primary: () => Promise<T>; replica: () => Promise<T> }): Promise<T> {
    if (!this.isReplica) {
      try {
        return await open.primary()
      } catch (error) {
        if (!(error instanceof DatabaseError) || error.fault !== 'unreachable' || !this.#mayFallBack()) throw error
        this.#primary.lost()
      }
    }
    return open.replica()
  }

  /** Reads from the copy; undefined when there is none, or it does not answer. */
  async fromReplica<T>(work: (connection: MySqlConnection) => Promise<T>): Promise<T | undefined> {
    const { replica } = this.#options
    if (replica === undefined || this.#replica?.isAway === true) return undefined
    try {
      return await replica.use(work)
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error
      this.#replica?.lost(PASSING.has(error.fault) ? 1 : UNWELL_PROBES)
      return undefined
    }
  }

  /**
   * Which database is missed although reads are answered; undefined when none is. A copy that nobody reads at the moment
   * is asked on the way, so that the next one who wants to know hears of it.
   */
  remark(): string | undefined {
    if (this.isReplica) return 'the primary database cannot be reached, the replica answers in read-only mode'
    if (this.#replica?.isAway) return 'the replica cannot be read, the primary database answers for it'
    void this.fromReplica((connection) => connection.rows(PROBE)).catch(() => undefined)
    return undefined
  }

  close(): void {
    this.#primary.close()
    this.#replica?.close()
  }

  #mayFallBack(): boolean {
    return this.#options.replica !== undefined && this.#options.readOnly()
  }
}

/** Whether a database answers; once it does not, it is asked now and then until it does. */
class Reachability {
  readonly #pool: Pool
  readonly #probeMillis: number
  readonly #onChange: (isAway: boolean) => void
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(pool: Pool, probeMillis: number, onChange: (isAway: boolean) => void) {
    this.#pool = pool
    this.#probeMillis = probeMillis
    this.#onChange = onChange
  }

  get isAway(): boolean {
    return this.#timer !== undefined
  }

  /** It did not answer as it should; it is asked again after so many times the usual wait. */
  lost(probes = 1): void {
    if (this.isAway || this.#closed) return
    this.#probeLater(probes)
    this.#onChange(true)
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  #probeLater(probes = 1): void {
    this.#timer = setTimeout(() => void this.#probe(), probes * this.#probeMillis).unref()
  }

  async #probe(): Promise<void> {
    try {
      await this.#pool.use((connection) => connection.rows(PROBE))
    } catch {
      if (!this.#closed) this.#probeLater()
      return
    }
    this.#timer = undefined
    if (!this.#closed) this.#onChange(false)
  }
}
