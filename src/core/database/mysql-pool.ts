import { DurationCounts } from '../metrics/duration-counts.ts'
import type { PoolState } from '../metrics/pool-metrics.ts'
import { DatabaseError } from './database-error.ts'
import { MySqlConnection, type MySqlSettings } from './mysql-connection.ts'

/** Limits of a pool; they are those of `athenz.db.pool_*`. Negative numbers stand for "no limit". */
export interface PoolLimits {
  /** Most connections. */
  readonly maxTotal: number
  /** Most idle connections that are kept. */
  readonly maxIdle: number
  /** Idle connections that are kept however old they get. */
  readonly minIdle: number
  /** Longest wait for a connection when all are in use. */
  readonly maxWaitMillis: number
  /** Connections that were idle for longer are closed. */
  readonly idleTimeoutMillis: number
  /** How often idle connections are looked at. */
  readonly evictIntervalMillis: number
  /** Connections that are older are closed when they are given back. */
  readonly maxLifetimeMillis: number
}

interface Waiter {
  readonly resolve: (connection: MySqlConnection) => void
  readonly reject: (error: Error) => void
  readonly timer: NodeJS.Timeout | undefined
}

/** Longest delay that a timer takes. */
const MAX_TIMER_MILLIS = 2 ** 31 - 1
/** Upper bounds in seconds, by which waits are counted. */
const WAIT_BOUNDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 5, 10, 30]

/** Connections to one database, opened when they are needed and kept for the next use; the one used last is used first. */
export class MySqlPool {
  readonly #settings: MySqlSettings
  readonly #setup: string
  readonly #limits: PoolLimits
  readonly #idle: { connection: MySqlConnection; since: number }[] = []
  readonly #busy = new Set<MySqlConnection>()
  readonly #waiters: Waiter[] = []
  readonly #waits = new DurationCounts(WAIT_BOUNDS)
  readonly #eviction: NodeJS.Timeout | undefined
  /** Connections opened before the last `clear` are not kept. */
  #clearedAt = Number.NEGATIVE_INFINITY
  #opening = 0
  #closed = false

  /** `setup` is a constant script that every new connection runs once. */
  constructor(settings: MySqlSettings, limits: PoolLimits, setup = '') {
    this.#settings = settings
    this.#setup = setup
    this.#limits = limits
    if (limits.evictIntervalMillis > 0) {
      this.#eviction = setInterval(() => this.#evict(), Math.min(limits.evictIntervalMillis, MAX_TIMER_MILLIS))
      this.#eviction.unref()
    }
  }

  /** Connections by what they are doing, how many callers wait for one, and how long callers have waited. */
  get state(): PoolState {
    const [busy, idle, waiting] = [this.#busy.size, this.#idle.length, this.#waiters.length]
    return { busy, idle, waiting, waits: this.#waits }
  }

  /** Runs `work` with a connection of its own; it must end the transactions it begins. */
  async use<T>(work: (connection: MySqlConnection) => Promise<T>): Promise<T> {
    const connection = await this.acquire()
    try {
      return await work(connection)
    } finally {
      this.release(connection)
    }
  }

  /** A connection for the caller alone until it is released. Throws DatabaseError `unreachable` or `timeout`. */
  acquire(): Promise<MySqlConnection> {
    if (this.#closed) return Promise.reject(new DatabaseError('unreachable', 'the pool is closed'))
    for (let connection = this.#idle.pop()?.connection; connection; connection = this.#idle.pop()?.connection) {
      if (connection.usable) {
        this.#busy.add(connection)
        this.#waits.add(0)
        return Promise.resolve(connection)
      }
      connection.close()
    }
    return this.#timed(this.#mayOpen() ? this.#open() : this.#wait())
  }

  /** Gives a connection back; one that is not usable any more is dropped. */
  release(connection: MySqlConnection): void {
    this.#busy.delete(connection)
    const kept = !this.#closed && connection.usable && !this.#expired(connection)
    const waiter = kept ? this.#waiters.shift() : undefined
    if (waiter !== undefined) {
      this.#hand(waiter, connection)
    } else if (kept && withinLimit(this.#idle.length, this.#limits.maxIdle)) {
      this.#idle.push({ connection, since: performance.now() })
    } else {
      connection.close()
      this.#serveWaiters()
    }
  }

  /** Drops all connections: idle ones now, those in use when they are released. For a server that changed its role. */
  clear(): void {
    this.#clearedAt = performance.now()
    for (const { connection } of this.#idle.splice(0)) connection.close()
  }

  /** Closes everything; callers that wait are refused. */
  close(): void {
    this.#closed = true
    clearInterval(this.#eviction)
    for (const waiter of this.#waiters.splice(0)) this.#refuse(waiter, new DatabaseError('unreachable', 'closing'))
    for (const { connection } of this.#idle.splice(0)) connection.close()
    for (const connection of this.#busy) connection.close()
  }

  /** Notes how long a caller waits, whatever comes of it. */
  async #timed(connection: Promise<MySqlConnection>): Promise<MySqlConnection> {
    const start = performance.now()
    try {
      return await connection
    } finally {
      this.#waits.add((performance.now() - start) / 1000)
    }
  }

  #mayOpen(): boolean {
    return withinLimit(this.#busy.size + this.#idle.length + this.#opening, this.#limits.maxTotal)
  }

  async #open(): Promise<MySqlConnection> {
    this.#opening++
    let connection: MySqlConnection
    try {
      connection = await MySqlConnection.open(this.#settings, this.#setup)
    } catch (error) {
      this.#opening--
      // The room this attempt took is free for somebody who came later.
      this.#serveWaiters()
      throw error
    }
    this.#opening--
    connection.onClose = () => this.#forget(connection)
    if (this.#closed) {
      connection.close()
      throw new DatabaseError('unreachable', 'the pool is closed')
    }
    this.#busy.add(connection)
    return connection
  }

  #wait(): Promise<MySqlConnection> {
    return new Promise((resolve, reject) => {
      const { maxWaitMillis } = this.#limits
      const waiter: Waiter = {
        resolve,
        reject,
        timer: maxWaitMillis < 0 ? undefined : setTimeout(() => this.#giveUp(waiter), maxWaitMillis),
      }
      this.#waiters.push(waiter)
    })
  }

  #giveUp(waiter: Waiter): void {
    const at = this.#waiters.indexOf(waiter)
    if (at < 0) return
    this.#waiters.splice(at, 1)
    waiter.reject(new DatabaseError('timeout', 'no connection became free in time'))
  }

  #hand(waiter: Waiter, connection: MySqlConnection): void {
    clearTimeout(waiter.timer)
    this.#busy.add(connection)
    waiter.resolve(connection)
  }

  #refuse(waiter: Waiter, error: Error): void {
    clearTimeout(waiter.timer)
    waiter.reject(error)
  }

  /** Opens connections for callers that wait while there is room; one failure is the answer for one caller. */
  #serveWaiters(): void {
    while (!this.#closed && this.#waiters.length > 0 && this.#mayOpen()) {
      const waiter = this.#waiters.shift() as Waiter
      this.#open().then(
        (connection) => this.#hand(waiter, connection),
        (error: Error) => this.#refuse(waiter, error),
      )
    }
  }

  #forget(connection: MySqlConnection): void {
    const at = this.#idle.findIndex((idle) => idle.connection === connection)
    if (at >= 0) this.#idle.splice(at, 1)
  }

  #expired(connection: MySqlConnection): boolean {
    const { maxLifetimeMillis } = this.#limits
    if (connection.openedAt <= this.#clearedAt) return true
    return maxLifetimeMillis > 0 && performance.now() - connection.openedAt > maxLifetimeMillis
  }

  #evict(): void {
    const { idleTimeoutMillis, minIdle } = this.#limits
    const now = performance.now()
    // The longest unused ones are at the front.
    const stale = this.#idle.filter(
      ({ connection, since }) =>
        this.#expired(connection) || (idleTimeoutMillis > 0 && now - since > idleTimeoutMillis),
    )
    for (const { connection } of stale.slice(0, Math.max(0, this.#idle.length - minIdle))) connection.close()
  }
}

const withinLimit = (count: number, limit: number) => limit < 0 || count < limit
