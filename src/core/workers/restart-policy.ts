/** How ends of workers are met. */
export interface RestartPolicyOptions {
  /** Workers that ought to run. */
  readonly workers: number
  /** Milliseconds of a clock that does not go back. */
  readonly now: () => number
}

/** Who has run this long is not in a loop. */
const SETTLED_MILLIS = 60_000
const FIRST_DELAY_MILLIS = 100
const MAX_DELAY_MILLIS = 10_000
/** Ends within that time, for each worker, from which on starting it again is of no use. */
const MAX_ENDS = 5

/**
 * When a worker that has ended is started again: the first time at once, then after pauses that double. Those that end
 * again and again for a minute are a fault that starting them does not cure.
 */
export class RestartPolicy {
  readonly #options: RestartPolicyOptions
  /** Times of the ends of the last minute. */
  #ends: number[] = []

  constructor(options: RestartPolicyOptions) {
    this.#options = options
  }

  /** Notes the end of a worker: the milliseconds after which it is started again; undefined when that is of no use. */
  ended(): number | undefined {
    const { workers, now } = this.#options
    const at = now()
    this.#ends = this.#ends.filter((each) => at - each < SETTLED_MILLIS)
    const before = this.#ends.length
    this.#ends.push(at)
    if (before >= MAX_ENDS * workers) return undefined
    // As many as there are workers may end of one cause.
    if (before < workers) return 0
    return Math.min(FIRST_DELAY_MILLIS * 2 ** (before - workers), MAX_DELAY_MILLIS)
  }
}
