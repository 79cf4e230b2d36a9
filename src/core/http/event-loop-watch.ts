/** What is told after each span of time. */
export type DelayListener = (standingMillis: number) => void

/** What an event loop is watched with. */
export interface EventLoopWatchOptions {
  readonly onDelay: DelayListener
  /** Milliseconds of a clock that does not go back. */
  readonly now?: () => number
}

const TICK_MILLIS = 100
const SPAN_MILLIS = 500
/** A single late tick is something slow that is over already. */
const MIN_TICKS = 2

/**
 * Measures how long work waits for its turn in the event loop: the *smallest* delay of a timer within half a second, told
 * at its end. A pause, however long (garbage collection, one huge request, a process that was stopped), delays one tick
 * only; what stands after all ticks is a queue that does not get shorter. The idea is that of CoDel (RFC 8289, 3.2).
 */
export class EventLoopWatch {
  readonly #onDelay: DelayListener
  readonly #now: () => number
  #timer: NodeJS.Timeout | undefined
  #tickedAt = 0
  #spanStart = 0
  #ticks = 0
  #leastMillis = Number.POSITIVE_INFINITY

  constructor({ onDelay, now = () => performance.now() }: EventLoopWatchOptions) {
    this.#onDelay = onDelay
    this.#now = now
  }

  /** Begins to measure; does not keep the process alive. */
  start(): void {
    this.#tickedAt = this.#spanStart = this.#now()
    this.#timer = setInterval(() => this.tick(), TICK_MILLIS).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** What the timer does. */
  tick(): void {
    const now = this.#now()
    this.#leastMillis = Math.min(this.#leastMillis, Math.max(0, now - this.#tickedAt - TICK_MILLIS))
    this.#tickedAt = now
    this.#ticks++
    if (now - this.#spanStart < SPAN_MILLIS || this.#ticks < MIN_TICKS) return
    const standing = this.#leastMillis
    this.#spanStart = now
    this.#ticks = 0
    this.#leastMillis = Number.POSITIVE_INFINITY
    this.#onDelay(standing)
  }
}
