import { setImmediate } from 'node:timers/promises'

/** Longest time of work between two pauses. */
const SLICE_MILLIS = 5

/** Lets a long piece of work hand the event loop over to others every few milliseconds. */
export class Pace {
  #since = performance.now()

  /** A promise to wait for when others are to have their turn, otherwise undefined. Asked between steps of the work. */
  pause(): Promise<void> | undefined {
    return performance.now() - this.#since < SLICE_MILLIS ? undefined : this.#pause()
  }

  async #pause(): Promise<void> {
    await setImmediate()
    this.#since = performance.now()
  }
}
