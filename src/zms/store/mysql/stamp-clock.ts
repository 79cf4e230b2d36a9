/** The time of transactions. */
export interface StampClock {
  /** Whether it is the clock of the database, which then stamps by itself. */
  readonly ofDatabase: boolean
  /** Epoch milliseconds. */
  now(): number
  /** Tells the time of the database, as it was a moment ago. */
  observe(databaseMillis: number): void
  /** Whether `now` needs an observation first. */
  readonly unset: boolean
}

/**
 * The clock of the database, read whenever a transaction begins and kept by the monotonic clock in between: the stamps of
 * several servers are of one clock, and no jump of this machine's clock gets into them.
 */
export class DatabaseClock implements StampClock {
  readonly ofDatabase = true
  #observed = Number.NaN
  #observedAt = 0

  get unset(): boolean {
    return Number.isNaN(this.#observed)
  }

  now(): number {
    return Math.floor(this.#observed + performance.now() - this.#observedAt)
  }

  observe(databaseMillis: number): void {
    this.#observed = databaseMillis
    this.#observedAt = performance.now()
  }
}

/** A given clock, e.g. of a test. */
export class GivenClock implements StampClock {
  readonly ofDatabase = false
  readonly unset = false
  readonly now: () => number

  constructor(now: () => number) {
    this.now = now
  }

  observe(): void {
    // It knows better.
  }
}
