/**
 * Listens for the signals that ask a program to stop: SIGINT, SIGTERM and SIGHUP. The first asks it to finish in order,
 * a second one to finish at once, and no further one does anything: the program ends with an exit status of its own.
 */
export class StopRequest {
  readonly #first = new AbortController()
  readonly #second = new AbortController()
  /** Resolves when the stop is asked for. */
  readonly asked: Promise<undefined>

  constructor() {
    const listener = () => (this.requested ? this.#second : this.#first).abort()
    for (const signal of SIGNALS) process.on(signal, listener)
    this.asked = new Promise((resolve) => {
      this.signal.addEventListener('abort', () => resolve(undefined), { once: true })
    })
  }

  get requested(): boolean {
    return this.signal.aborted
  }

  /** Aborted by the first signal. */
  get signal(): AbortSignal {
    return this.#first.signal
  }

  /** Aborted by the second. */
  get urgent(): AbortSignal {
    return this.#second.signal
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
