interface Flight<T> {
  readonly result: Promise<T>
  readonly end: AbortController
  waiting: number
}

/**
 * Work that several callers want at the same time is done once for all of them. A caller that gives up leaves the others
 * waiting; with the last one the work ends.
 */
export class SharedFlights<T> {
  readonly #flights = new Map<string, Flight<T>>()

  /**
   * The result of the work under way for `key`, or of `work`, which begins then. Rejects with the reason of `signal` when
   * that is aborted first.
   */
  run(key: string, work: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const flight = this.#flights.get(key) ?? this.#begin(key, work)
    flight.waiting++
    if (signal === undefined) return flight.result
    return new Promise((resolve, reject) => {
      const leave = () => {
        reject(signal.reason as Error)
        if (--flight.waiting > 0) return
        this.#forget(key, flight)
        flight.end.abort(signal.reason)
      }
      if (signal.aborted) return leave()
      signal.addEventListener('abort', leave, { once: true })
      const landed = () => signal.removeEventListener('abort', leave)
      flight.result.then(resolve, reject).finally(landed)
    })
  }

  #begin(key: string, work: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const end = new AbortController()
    const flight: Flight<T> = { result: work(end.signal), end, waiting: 0 }
    this.#flights.set(key, flight)
    const landed = () => this.#forget(key, flight)
    // Those who wait get the error; that all have left is no reason to end the process.
    flight.result.then(landed, landed)
    return flight
  }

  #forget(key: string, flight: Flight<T>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key)
  }
}
