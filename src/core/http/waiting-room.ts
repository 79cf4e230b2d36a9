/** How long a request may wait, and what ends it before. */
export interface Patience {
  readonly millis: number
  readonly signal: AbortSignal | undefined
}

/** Somebody who waits. */
export interface Waiter<T> {
  /** What would be news to it. */
  readonly about: T
  /** Ends the waiting. */
  readonly end: (news: boolean) => void
}

/** More than so many do not wait; each holds a connection. */
const MAX_WAITERS = 1000

/** Requests that wait for news, each until it is told of some, its time is over, or its client or the server goes away. */
export class WaitingRoom<T> implements Iterable<Waiter<T>> {
  readonly #waiters = new Set<Waiter<T>>()
  readonly #maxWaiters: number
  readonly #onEmpty: (() => void) | undefined

  /** `onEmpty` is told when the last one has left. */
  constructor({ maxWaiters = MAX_WAITERS, onEmpty }: { maxWaiters?: number; onEmpty?: () => void } = {}) {
    this.#maxWaiters = maxWaiters
    this.#onEmpty = onEmpty
  }

  /** How many wait. */
  get size(): number {
    return this.#waiters.size
  }

  /** Those who wait, first come first; ending one while it is looked at is fine. */
  [Symbol.iterator](): Iterator<Waiter<T>> {
    return this.#waiters.values()
  }

  /**
   * Resolves to true when there is news, to false when the time is over or the signal is aborted. Undefined when too many
   * wait already.
   */
  wait(about: T, { millis, signal }: Patience): Promise<boolean> | undefined {
    if (this.#waiters.size >= this.#maxWaiters) return undefined
    if (signal?.aborted || millis <= 0) return Promise.resolve(false)
    return new Promise((resolve) => {
      const end = (news: boolean) => {
        this.#waiters.delete(waiter)
        clearTimeout(timeout)
        signal?.removeEventListener('abort', giveUp)
        if (this.#waiters.size === 0) this.#onEmpty?.()
        resolve(news)
      }
      const giveUp = () => end(false)
      const waiter: Waiter<T> = { about, end }
      const timeout = setTimeout(giveUp, millis).unref()
      signal?.addEventListener('abort', giveUp, { once: true })
      this.#waiters.add(waiter)
    })
  }
}
