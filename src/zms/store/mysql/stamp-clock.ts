/** The time of transactions. */
export interface StampClock {
  /** Whether it is the clock of the database, which then stamps by itself. */
  readonly ofDatabase: boolean
  /** Whether `now` needs an observation first. */
  readonly unset: boolean
  /** No stamp may be earlier: epoch milliseconds. */
  readonly floor: number
  /** Epoch milliseconds, not before the floor. */
  now(): number
  /** Tells the time of the database, as it was a moment ago. */
  observe(databaseMillis: number): void
  /** Raises the floor. */
  reach(stamp: number): void
}

/**
 * The clock of the database, read whenever a transaction begins and kept by the monotonic clock in between: the stamps of
 * several servers are of one clock, and no jump of this machine's clock gets into them.
 */
export class DatabaseClock implements StampClock {
  readonly ofDatabase = true
  #observed = Number.NaN
  #observedAt = 0
  #floor = 0

  get unset(): boolean {
    return Number.isNaN(this.#observed)
  }

  get floor(): number {
    return this.#floor
  }

  now(): number {
    return Math.max(this.#floor, Math.floor(this.#observed + performance.now() - this.#observedAt))
  }

  observe(databaseMillis: number): void {
    this.#observed = databaseMillis
    this.#observedAt = performance.now()
  }

  reach(stamp: number): void {
    // A domain may be far ahead of the clock; the others need not follow it.
    if (stamp <= this.now() + LARGEST_STEP_MILLIS) this.#floor = Math.max(this.#floor, stamp)
  }
}

/** So far may a stamp be ahead of the clock for the clock to follow. */
const LARGEST_STEP_MILLIS = 1000

/** A given clock, e.g. of a test. */
export class GivenClock implements StampClock {
  readonly ofDatabase = false
  readonly unset = false
  readonly #clock: () => number
  #floor = 0

  constructor(clock: () => number) {
    this.#clock = clock
  }

  get floor(): number {
    return this.#floor
  }

  now(): number {
    return Math.max(this.#floor, this.#clock())
  }

  observe(): void {
    // It knows better.
  }

  reach(stamp: number): void {
    this.#floor = Math.max(this.#floor, stamp)
  }
}
