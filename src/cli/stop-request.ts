const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

// Ctrl-C reaches every process of the terminal, and npm passes it on to its script once more.
const ECHO_MILLIS = 500

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
    let firstMillis = 0
    const listener = () => {
      if (!this.requested) {
        firstMillis = performance.now()
        this.#first.abort()
      } else if (performance.now() - firstMillis > ECHO_MILLIS) {
        this.#second.abort()
      }
    }
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
