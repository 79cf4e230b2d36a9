import { type Patience, WaitingRoom } from '#core/http/waiting-room.ts'
import type { Domains } from '../cache/domains.ts'

/** What somebody waits for. */
interface Expected {
  readonly domain: string
  readonly isNews: () => boolean
}

/** Lets requests wait until a domain is another one than they know. */
export class DomainWatch {
  readonly #room: WaitingRoom<Expected>

  constructor(domains: Pick<Domains, 'onChange'>, options: { maxWaiters?: number } = {}) {
    this.#room = new WaitingRoom(options)
    domains.onChange((name) => {
      for (const { about, end } of this.#room) if (about.domain === name && about.isNews()) end(true)
    })
  }

  /** How many wait. */
  get waiting(): number {
    return this.#room.size
  }

  /**
   * Resolves to true when the domain has changed so that there is news, to false when the time is over or the signal is
   * aborted. Undefined when too many wait already.
   */
  wait(domain: string, isNews: () => boolean, patience: Patience): Promise<boolean> | undefined {
    return this.#room.wait({ domain, isNews }, patience)
  }
}
