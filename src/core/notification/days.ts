const DAY_MILLIS = 86_400_000

/** Beginning of the day (UTC) of a time in epoch milliseconds. */
export const startOfDay = (time: number): number => Math.floor(time / DAY_MILLIS) * DAY_MILLIS

/** Whole days of the calendar (UTC) from one time to another. */
export const daysBetween = (from: number, to: number): number => (startOfDay(to) - startOfDay(from)) / DAY_MILLIS

/**
 * Does something once on each day (UTC), and something else whenever it is called again that day. What failed is not
 * done.
 */
export class OnceADay {
  readonly #work: (now: number) => Promise<void>
  readonly #otherwise: () => Promise<void>
  readonly #now: () => number
  #doneDay = Number.NEGATIVE_INFINITY

  constructor(options: {
    readonly now: () => number
    readonly work: (now: number) => Promise<void>
    readonly otherwise: () => Promise<void>
  }) {
    this.#now = options.now
    this.#work = options.work
    this.#otherwise = options.otherwise
  }

  async run(): Promise<void> {
    const now = this.#now()
    const day = startOfDay(now)
    if (day === this.#doneDay) return this.#otherwise()
    await this.#work(now)
    this.#doneDay = day
  }
}
