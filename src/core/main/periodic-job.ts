import { setTimeout as pause } from 'node:timers/promises'
import { messageOf } from '../error/message-of.ts'

/** Resolves after some milliseconds; rejects when the signal is aborted. */
export type Wait = (millis: number, signal: AbortSignal) => Promise<void>

/** Waits by the clock of this machine, and lets the process end meanwhile. */
export const systemWait: Wait = (millis, signal) => pause(millis, undefined, { signal, ref: false })

/** Something that the server does again and again. */
export interface PeriodicJobOptions {
  /** For the log. */
  readonly name: string
  readonly work: () => Promise<void>
  /** Time between the end of one run and the beginning of the next; undefined runs once only. */
  readonly intervalMillis: number | undefined
  readonly wait?: Wait
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
}

/** Runs a job at once and then at intervals, never twice at a time. A failure is logged and the job goes on. */
export class PeriodicJob {
  readonly #stopping = new AbortController()
  readonly #ended: Promise<void>

  private constructor(options: PeriodicJobOptions) {
    this.#ended = this.#run(options)
  }

  static start(options: PeriodicJobOptions): PeriodicJob {
    return new PeriodicJob(options)
  }

  /** Begins no further run; resolves when the one under way has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#ended
  }

  async #run({ name, work, intervalMillis, wait = systemWait, log }: PeriodicJobOptions): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      try {
        await work()
      } catch (error) {
        log('error', `${name} failed: ${messageOf(error)}`)
      }
      if (intervalMillis === undefined || signal.aborted) return
      // Only stopping ends a wait early.
      await wait(intervalMillis, signal).catch(() => {})
    }
  }
}
