import { setTimeout as sleep } from 'node:timers/promises'
import { DatabaseError, type DatabaseFault } from '#core/database/database-error.ts'

/** How patient the store is. */
export interface RetrySettings {
  /** Most further attempts of a transaction that met another one, a broken connection or a read-only server. */
  readonly count: number
  /** Longest wait between two attempts; the first waits are shorter. */
  readonly sleepMillis: number
  /** No attempt begins later than this after the first one. */
  readonly totalMillis: number
}

/** Connection failures are answered soon: who asks may find another server. */
const CONNECT_ATTEMPTS = 3
const FIRST_WAIT_MILLIS = 5

const REPEATABLE: ReadonlySet<DatabaseFault> = new Set([
  'contention',
  'lost',
  'unreachable',
  'read-only',
  'refused-commit',
])

/** Attempts of one operation, as they follow each other. */
export class Attempts {
  readonly #settings: RetrySettings
  readonly #random: () => number
  readonly #startedAt = performance.now()
  #failures = 0
  #unreachable = 0

  /** `random` gives numbers from 0 to below 1: two operations that met must not meet again. */
  constructor(settings: RetrySettings, random: () => number) {
    this.#settings = settings
    this.#random = random
  }

  /** Waits until the next attempt may begin; false when there is none. */
  async next(error: unknown): Promise<boolean> {
    if (!(error instanceof DatabaseError) || !REPEATABLE.has(error.fault)) return false
    this.#failures += 1
    if (error.fault === 'unreachable') this.#unreachable += 1
    if (this.#failures > this.#settings.count || this.#unreachable >= CONNECT_ATTEMPTS) return false
    const wait = Math.min(this.#settings.sleepMillis, FIRST_WAIT_MILLIS * 2 ** Math.min(this.#failures - 1, 20))
    const jittered = wait * (0.5 + this.#random() / 2)
    if (performance.now() - this.#startedAt + jittered > this.#settings.totalMillis) return false
    await sleep(jittered)
    return true
  }
}

/** Runs something that only reads until it succeeds or patience ends. */
export async function readPatiently<T>(attempts: Attempts, read: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await read()
    } catch (error) {
      if (!(await attempts.next(error))) throw error
    }
  }
}

/** Turns what the database said into what a client is told. */
export function asServiceError(error: unknown): unknown {
  return error instanceof DatabaseError ? error.toServiceError() : error
}
