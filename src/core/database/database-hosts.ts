/** Where a server of a database listens. */
export interface DatabaseHost {
  readonly host: string
  readonly port: number
}

/** For so long a server that failed is tried after all others. */
const AWAY_MILLIS = 10_000

/**
 * The servers of one database, e.g. the nodes of a cluster, in the order in which they are wanted. It remembers for all
 * connections which of them failed, so that not every one has to find out by waiting.
 */
export class DatabaseHosts {
  readonly #hosts: readonly DatabaseHost[]
  readonly #now: () => number
  readonly #failedAt = new Map<DatabaseHost, number>()

  /** `now` gives milliseconds of a clock that never goes back. */
  constructor(hosts: readonly DatabaseHost[], now: () => number = () => performance.now()) {
    this.#hosts = hosts
    this.#now = now
  }

  /** The servers in the order in which a new connection tries them: those that failed lately last, longest ago first. */
  inOrder(): DatabaseHost[] {
    const since = this.#now() - AWAY_MILLIS
    const away = (host: DatabaseHost) => {
      const at = this.#failedAt.get(host) ?? Number.NEGATIVE_INFINITY
      return at > since ? at : Number.NEGATIVE_INFINITY
    }
    return this.#hosts.toSorted((a, b) => (away(a) === away(b) ? 0 : away(a) - away(b)))
  }

  /** Notes that a server could not be reached, left a statement without an answer or is no member of its cluster. */
  failed(host: DatabaseHost): void {
    this.#failedAt.set(host, this.#now())
  }

  /** Notes that a new connection was made. */
  answered(host: DatabaseHost): void {
    this.#failedAt.delete(host)
  }

  /** Whether a server failed after a moment of the clock and has not answered since. */
  hasFailedSince(host: DatabaseHost, moment: number): boolean {
    return (this.#failedAt.get(host) ?? Number.NEGATIVE_INFINITY) > moment
  }
}
