import type { RateLimit, RateLimits } from './rate-limits.ts'

/** The other processes of a server, as limits of rates know them. */
export interface RateSharers {
  /** How many processes there are, this one included. */
  readonly count: number
  /** Tells all others something. */
  publish(topic: string, value: unknown): void
  /** Calls `listener` with what others tell. */
  subscribe(topic: string, listener: (value: never) => void): void
}

/** What was admitted since the last time: limit → key → how often. */
type Admitted = Map<RateLimit, Map<string, number>>

const TOPIC = 'rates'
/** Until then a client may have from each process what it is allowed in all; what is too much is waited for later. */
const INTERVAL_MILLIS = 100

/** Lets the processes of a server limit rates together: each tells the others, a few times a second, what it has admitted. */
export class SharedRates {
  readonly #sharers: RateSharers
  readonly #timer: NodeJS.Timeout
  #admitted: Admitted = new Map()

  constructor(sharers: RateSharers, intervalMillis = INTERVAL_MILLIS) {
    this.#sharers = sharers
    this.#timer = setInterval(() => this.tell(), intervalMillis).unref()
  }

  /** Counts what is admitted here: for `onAdmitted` of the limits. */
  readonly note = (limit: RateLimit, key: string): void => {
    let counts = this.#admitted.get(limit)
    if (counts === undefined) {
      counts = new Map()
      this.#admitted.set(limit, counts)
    }
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }

  /** Charges limits with what others admit. */
  charge(limits: Pick<RateLimits, 'charge'>): void {
    this.#sharers.subscribe(TOPIC, (admitted: Admitted) => {
      for (const [limit, counts] of admitted) for (const [key, count] of counts) limits.charge(limit, key, count)
    })
  }

  /** Tells the others now. */
  tell(): void {
    if (this.#admitted.size === 0) return
    this.#sharers.publish(TOPIC, this.#admitted)
    this.#admitted = new Map()
  }

  close(): void {
    clearInterval(this.#timer)
  }
}
