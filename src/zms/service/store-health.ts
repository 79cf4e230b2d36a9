import type { Store } from '../store/store.ts'

/** Longest time for a probe to answer. */
const DEADLINE_MILLIS = 5_000

/** How a store is probed. */
export interface StoreHealthOptions {
  readonly store: Pick<Store, 'check' | 'domain'>
  /** Time between two probes; undefined for a single one at the start. */
  readonly frequencyMillis: number | undefined
  /** Told when the answer changes. */
  readonly log: (level: 'info' | 'warn', message: string) => void
  /** A probe that has not answered by then has failed. */
  readonly deadlineMillis?: number
}

/**
 * Whether the store answers and has the system domain, as seen by a probe now and then: whoever asks for the status is
 * answered at once, and however many ask, the store has one question to answer.
 */
export class StoreHealth {
  readonly #options: StoreHealthOptions
  #timer: NodeJS.Timeout | undefined
  #healthy = false
  #closed = false

  constructor(options: StoreHealthOptions) {
    this.#options = options
  }

  /** What the last probe found; false before the first one. */
  get healthy(): boolean {
    return this.#healthy
  }

  /** Probes once, and from then on every now and then. */
  async start(): Promise<void> {
    const healthy = await this.#probe()
    if (healthy !== this.#healthy) {
      this.#options.log(healthy ? 'info' : 'warn', `the store ${healthy ? 'answers' : 'does not answer'}`)
    }
    this.#healthy = healthy
    const { frequencyMillis } = this.#options
    if (this.#closed || frequencyMillis === undefined) return
    this.#timer = setTimeout(() => void this.start(), frequencyMillis).unref()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  async #probe(): Promise<boolean> {
    const { deadlineMillis = DEADLINE_MILLIS } = this.#options
    const { promise: late, resolve } = Promise.withResolvers<boolean>()
    const deadline = setTimeout(() => resolve(false), deadlineMillis).unref()
    try {
      return await Promise.race([this.#ask(), late])
    } catch {
      return false
    } finally {
      clearTimeout(deadline)
    }
  }

  async #ask(): Promise<boolean> {
    const { store } = this.#options
    return (await store.check()) && (await store.domain('sys.auth')) !== undefined
  }
}
