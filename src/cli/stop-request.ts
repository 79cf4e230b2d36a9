/**
 * Listens for the signals that ask a program to stop: SIGINT, SIGTERM and SIGHUP. The first asks it to finish in order,
 * a second one to finish at once. Without this object such a signal ends the program; disposing of it restores that.
 */
export class StopRequest implements Disposable {
  readonly #first = new AbortController()
  readonly #second = new AbortController()
  readonly #listener = () => (this.#first.signal.aborted ? this.#second : this.#first).abort()
  /** Resolves when the stop is asked for. */
  readonly asked: Promise<undefined>

  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.#listener)
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

  [Symbol.dispose](): void {
    for (const signal of SIGNALS) process.off(signal, this.#listener)
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
