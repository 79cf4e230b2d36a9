import { PeriodicJob, type Wait } from '#core/main/periodic-job.ts'

/** Tokens that can be renewed in advance. */
interface Renewable {
  renewDue(): Promise<void>
}

/** Renews tokens in the background from the first one on that is to be renewed; lets the process end meanwhile. */
export class TokenPrefetch {
  readonly #keepers: readonly Renewable[]
  readonly #intervalMillis: number
  readonly #wait: Wait
  #job: PeriodicJob | undefined
  #closed = false

  constructor(keepers: readonly Renewable[], intervalMillis: number, wait: Wait) {
    this.#keepers = keepers
    this.#intervalMillis = intervalMillis
    this.#wait = wait
  }

  /** Begins, unless it has already or is over. */
  start(): void {
    if (this.#closed) return
    this.#job ??= PeriodicJob.start({
      name: 'renewal of tokens',
      work: () => this.renewDue(),
      intervalMillis: this.#intervalMillis,
      wait: this.#wait,
      // A failed renewal is told to those who asked to be told, and costs nothing while the kept token is good.
      log: () => {},
    })
  }

  /** Renews now what is due. */
  async renewDue(): Promise<void> {
    await Promise.all(this.#keepers.map((keeper) => keeper.renewDue()))
  }

  close(): void {
    this.#closed = true
    void this.#job?.stop()
  }
}
