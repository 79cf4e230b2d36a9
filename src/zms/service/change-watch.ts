import { type Patience, WaitingRoom } from '#core/http/waiting-room.ts'
import type { Store } from '../store/store.ts'

/** A domain in the list of modified domains. */
export type ModifiedDomain = Awaited<ReturnType<Store['modifiedDomains']>>[number]

/** What somebody waits for. */
interface Expected {
  /** Epoch milliseconds. */
  readonly since: number
  readonly isNews: (modified: readonly ModifiedDomain[]) => boolean
}

/** How often the store is asked, while somebody waits, for what other processes have changed. */
const POLL_MILLIS = 500

/**
 * Lets requests wait for changes of domains: those made by this process wake it at once, those of others are seen when it
 * asks the store again. It asks one question for all that wait, and none while nobody does.
 */
export class ChangeWatch {
  readonly #store: Pick<Store, 'modifiedDomains'>
  readonly #log: (message: string) => void
  readonly #room: WaitingRoom<Expected>
  #timer: NodeJS.Timeout | undefined
  #looking = false
  #lookAgain = false
  #failing = false

  constructor(
    store: Pick<Store, 'modifiedDomains'>,
    writes: { onChange(listener: () => void): void },
    options: { log: (message: string) => void; maxWaiters?: number },
  ) {
    this.#store = store
    this.#log = options.log
    this.#room = new WaitingRoom({ maxWaiters: options.maxWaiters, onEmpty: () => this.#rest() })
    writes.onChange(() => this.#look())
  }

  /** How many wait. */
  get waiting(): number {
    return this.#room.size
  }

  /**
   * Resolves to true when the list of domains modified at or after `since` (and perhaps some before) is news, to false
   * when the time is over or `signal` is aborted. Undefined when too many wait already.
   */
  wait(
    since: number,
    isNews: (modified: readonly ModifiedDomain[]) => boolean,
    patience: Patience,
  ): Promise<boolean> | undefined {
    const waiting = this.#room.wait({ since, isNews }, patience)
    // What was changed between the caller's last look and this one must not be missed.
    if (waiting) this.#look()
    return waiting
  }

  #look(): void {
    if (this.#room.size === 0) return
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
    const since = Math.min(...[...this.#room].map(({ about }) => about.since))
    const modified = await this.#modifiedDomains(since)
    // Who came while the store was asked may want to know of earlier changes than it was asked for.
    const informed = [...this.#room].filter(({ about }) => about.since >= since)
    for (const { about, end } of informed) if (modified && about.isNews(modified)) end(true)
    this.#looking = false
    this.#rest()
    if (this.#lookAgain && modified) this.#look()
    else if (this.#room.size > 0) this.#timer = setTimeout(() => this.#look(), POLL_MILLIS).unref()
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
