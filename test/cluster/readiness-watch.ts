import { setTimeout as pause } from 'node:timers/promises'

/** What `/readyz` of a server answered, and when; repetitions are left out. */
export interface ReadinessSighting {
  /** Milliseconds of the monotonic clock at which it was asked. */
  readonly at: number
  /** 0 when there was no answer. */
  readonly status: number
}

const WATCH_MILLIS = 50
const ANSWER_MILLIS = 10_000
const READY = 200

/** Asks the operations port of a server all the time whether it is ready. */
export class ReadinessWatch {
  readonly #opsUrl: string
  readonly #sightings: ReadinessSighting[] = []

  constructor(opsUrl: string) {
    this.#opsUrl = opsUrl
  }

  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const at = performance.now()
      this.note({ at, status: await this.#ask() })
      await pause(WATCH_MILLIS)
    }
  }

  note(sighting: ReadinessSighting): void {
    if (this.#sightings.at(-1)?.status !== sighting.status) this.#sightings.push(sighting)
  }

  /** Whether it is ready, as far as is known. */
  get isReady(): boolean {
    return this.#sightings.at(-1)?.status === READY
  }

  /** Statuses other than that of a ready server since a time, without repetitions. */
  failuresSince(time: number): number[] {
    const last = this.#sightings.findLast(({ at }) => at <= time)
    const since = this.#sightings.filter(({ at }) => at > time)
    return [...new Set([...(last ? [last] : []), ...since].map(({ status }) => status))].filter(
      (status) => status !== READY,
    )
  }

  async #ask(): Promise<number> {
    try {
      const answer = await fetch(`${this.#opsUrl}/readyz`, { signal: AbortSignal.timeout(ANSWER_MILLIS) })
      await answer.arrayBuffer()
      return answer.status
    } catch {
      return 0
    }
  }
}
