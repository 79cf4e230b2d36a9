import type { Store } from '../store/store.ts'
import type { Writes } from './writes.ts'

/** A domain in the list of modified domains. */
export type ModifiedDomain = Awaited<ReturnType<Store['modifiedDomains']>>[number]

/** Somebody who waits for changes. */
interface Waiter {
  /** Epoch milliseconds. */
  readonly since: number
  readonly isNews: (modified: readonly ModifiedDomain[]) => boolean
  readonly end: (news: boolean) => void
}

/** How often the store is asked, while somebody waits, for what other processes have changed. */
const POLL_MILLIS = 500
/** More than so many do not wait; each holds a connection. */
const MAX_WAITERS = 1000

/**
 * Lets requests wait for changes of domains: those made by this process wake it at once, those of others are seen when it
 * asks the store again. It asks one question for all that wait, and none while nobody does.
 */
export class ChangeWatch {
  readonly #store: Pick<Store, 'modifiedDomains'>
  readonly #log: (message: string) => void
  readonly #maxWaiters: number
  readonly #waiters = new Set<Waiter>()
  #timer: NodeJS.Timeout | undefined
  #looking = false
  #lookAgain = false
  #failing = false

  constructor(
    store: Pick<Store, 'modifiedDomains'>,
    writes: Pick<Writes, 'onChange'>,
    options: { log: (message: string) => void; maxWaiters?: number },
  ) {
    this.#store = store
    this.#log = options.log
    this.#maxWaiters = options.maxWaiters ?? MAX_WAITERS
    writes.onChange(() => this.#look())
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiters.size
  }

  /**
   * Resolves to true when the list of domains modified at or after `since` (and perhaps some before) is news, to false
   * when the time is over or `signal` is aborted. Undefined when too many wait already.
   */
  wait(
    since: number,
    isNews: (modified: readonly ModifiedDomain[]) => boolean,
    { millis, signal }: { millis: number; signal: AbortSignal | undefined },
  ): Promise<boolean> | undefined {
    if (this.#waiters.size >= this.#maxWaiters) return undefined
    if (signal?.aborted || millis <= 0) return Promise.resolve(false)
    return new Promise((resolve) => {
      const end = (news: boolean) => {
        this.#waiters.delete(waiter)
        clearTimeout(timeout)
        signal?.removeEventListener('abort', giveUp)
        if (this.#waiters.size === 0) this.#rest()
        resolve(news)
      }
      const giveUp = () => end(false)
      const waiter: Waiter = { since, isNews, end }
      const timeout = setTimeout(giveUp, millis).unref()
      signal?.addEventListener('abort', giveUp, { once: true })
      this.#waiters.add(waiter)
      // What was changed between the caller's last look and this one must not be missed.
      this.#look()
    })
  }

  #look(): void {
    if (this.#waiters.size === 0) return
    if (this.#looking) {
      this.#lookAgain = true
      return
    }
    this.#looking = true
    void this.#askStore()
  }

  /** One question after the other, the next one at once when there was reason to ask meanwhile. */
  async #askStore(): Promise<void> {
    this.#lookAgain = false
    const since = Math.min(...[...this.#waiters].map((waiter) => waiter.since))
    const modified = await this.#modifiedDomains(since)
    // Who came while the store was asked may want to know of earlier changes than it was asked for.
    const informed = [...this.#waiters].filter((waiter) => waiter.since >= since)
    for (const waiter of informed) if (modified && waiter.isNews(modified)) waiter.end(true)
    this.#looking = false
    this.#rest()
    if (this.#lookAgain && modified) this.#look()
    else if (this.#waiters.size > 0) this.#timer = setTimeout(() => this.#look(), POLL_MILLIS).unref()
  }

  /** Undefined when the store does not answer, which those who wait need not know: they are answered in time. */
  async #modifiedDomains(since: number): Promise<readonly ModifiedDomain[] | undefined> {
    try {
      const modified = await this.#store.modifiedDomains(since)
      this.#failing = false
      return modified
    } catch (error) {
      if (!this.#failing) this.#log(`changes of domains cannot be seen: ${String(error)}`)
      this.#failing = true
      return undefined
    }
  }

  #rest(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
