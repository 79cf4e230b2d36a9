import { extname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { PamAnswer, PamQuestion } from './pam-message.ts'
import { ProcessPool, type ProcessPoolLimits } from './process-pool.ts'

/** How logins are checked; all but `profile` and `log` have defaults. */
export interface PamPoolOptions extends Partial<ProcessPoolLimits> {
  /** Name of a PAM profile: a file in /etc/pam.d. */
  readonly profile: string
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
  /** Refusals held back at the same time (512); while there are more, logins are refused at once. */
  readonly heldBackMaxCount?: number
  /** Waits, or returns early when the signal aborts; replaced where time must not pass. */
  readonly wait?: (millis: number, signal: AbortSignal) => Promise<unknown>
  /** Path of the program that a worker runs. */
  readonly program?: string
}

/** The answer to one login: accepted, or refused with a reason for the log. */
export type LoginAnswer = { readonly accepted: true } | { readonly accepted: false; readonly reason: string }

const HELD_BACK_MAX_COUNT = 512

/** The extension is that of this file, so that compiled code starts the compiled worker. */
const WORKER_PROGRAM = fileURLToPath(new URL(`./pam-worker${extname(import.meta.filename)}`, import.meta.url))

/** Checks logins against PAM in a few child processes, because libpam blocks and its modules may hang or crash. */
export class PamPool {
  readonly #pool: ProcessPool<PamQuestion, PamAnswer>
  readonly #heldBackMaxCount: number
  readonly #wait: NonNullable<PamPoolOptions['wait']>
  readonly #stopping = new AbortController()
  #heldBackCount = 0

  constructor({ profile, heldBackMaxCount, wait, program, ...options }: PamPoolOptions) {
    this.#heldBackMaxCount = heldBackMaxCount ?? HELD_BACK_MAX_COUNT
    this.#wait = wait ?? ((millis, signal) => sleep(millis, undefined, { signal }).catch(() => {}))
    this.#pool = new ProcessPool({
      ...options,
      subject: 'PAM',
      work: 'logins',
      program: program ?? WORKER_PROGRAM,
      args: [profile],
    })
  }

  /** Starts the first process. Rejects with an Error that says what is missing when PAM cannot be used. */
  start(): Promise<void> {
    return this.#pool.start()
  }

  /** Process ids of the workers. */
  get workerPids(): readonly number[] {
    return this.#pool.workerPids
  }

  /**
   * Asks PAM. A refusal comes as late as PAM wants it, counted from the start of the check, so that its time says
   * nothing about whether the account exists. Never rejects.
   */
  async authenticate(user: string, password: string, remoteAddress: string): Promise<LoginAnswer> {
    if (this.#heldBackCount >= this.#heldBackMaxCount) {
      return { accepted: false, reason: 'too many refused logins at the same time' }
    }
    const startMillis = performance.now()
    const outcome = await this.#pool.ask({ user, password, remoteAddress })
    if (outcome.answer === undefined) return { accepted: false, reason: outcome.reason }
    const { accepted, reason, delayMillis } = outcome.answer
    if (accepted) return { accepted }
    await this.#holdBack(delayMillis - (performance.now() - startMillis))
    return { accepted, reason }
  }

  /** Refuses what is in flight and ends the processes. */
  close(): void {
    this.#stopping.abort()
    this.#pool.close()
  }

  async #holdBack(millis: number): Promise<void> {
    if (millis <= 0) return
    this.#heldBackCount++
    try {
      await this.#wait(millis, this.#stopping.signal)
    } finally {
      this.#heldBackCount--
    }
  }
}
