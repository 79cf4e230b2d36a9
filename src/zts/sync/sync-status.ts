import { messageOf } from '#core/error/message-of.ts'
import { SourceFailure } from './change-log-store.ts'

/** How up to date the domains are. */
export interface SyncHealth {
  /** `stale` when the source has not answered for some time: the copy stays in use. */
  readonly state: 'ready' | 'stale'
  /** Time since the source last answered; undefined when it has not since the start. */
  readonly ageMillis: number | undefined
  /** Domains that the source has in a newer version than the copy, because it cannot be fetched or verified. */
  readonly failingDomains: number
  /** Why the source gives no answers, or why a domain fails; undefined when all is well. */
  readonly reason: string | undefined
}

/** What was counted since the start. */
export interface SyncCounters {
  /** Questions without an answer of use. */
  failures: number
  /** Domains that could not be verified or read, each time. */
  validationFailures: number
  /** Domains that were taken over from the source. */
  updates: number
  removals: number
}

/** How a status is kept. */
export interface SyncStatusOptions {
  /** Milliseconds of a clock that nobody sets, from any point on. */
  readonly elapsed: () => number
  /** Without success for so long the domains count as stale. */
  readonly staleAfterMillis: number
  readonly log: (level: 'info' | 'warn', message: string) => void
}

/** Follows how the synchronization goes, and writes a line for each change of that, not for each failure. */
export class SyncStatus {
  readonly counters: SyncCounters = { failures: 0, validationFailures: 0, updates: 0, removals: 0 }
  #newestModified = 0
  /** Is told how long a change took from ZMS to here. */
  onPropagation: ((millis: number) => void) | undefined = undefined
  readonly #options: SyncStatusOptions
  readonly #startedAt: number
  #succeededAt: number | undefined
  /** Code and message of the failure that lasts. */
  #failure: { readonly code: string; readonly message: string } | undefined
  readonly #failing = new Map<string, string>()
  /** Conditions that were written to the log and have not ended, by their kind. */
  readonly #conditions = new Map<string, string>()

  constructor(options: SyncStatusOptions) {
    this.#options = options
    this.#startedAt = options.elapsed()
  }

  get health(): SyncHealth {
    const { elapsed, staleAfterMillis } = this.#options
    const now = elapsed()
    const [failing] = this.#failing
    return {
      state: now - (this.#succeededAt ?? this.#startedAt) >= staleAfterMillis ? 'stale' : 'ready',
      ageMillis: this.#succeededAt === undefined ? undefined : now - this.#succeededAt,
      failingDomains: this.#failing.size,
      reason: this.#failure?.message ?? (failing && `${failing[0]}: ${failing[1]}`),
    }
  }

  /** The source has answered. */
  succeeded(): void {
    this.#succeededAt = this.#options.elapsed()
    if (this.#failure) this.#options.log('info', 'domains: the source answers again')
    this.#failure = undefined
  }

  /** The source has not answered. */
  failed(error: unknown): void {
    this.counters.failures++
    const message = messageOf(error)
    const code = error instanceof SourceFailure ? error.code : message
    if (this.#failure?.code !== code) {
      this.#options.log('warn', `domains: there is no news of them: ${message}`)
    }
    this.#failure = { code, message }
  }

  /** Newest modification time of a domain that is here, in epoch milliseconds; 0 before the first one. */
  get newestModified(): number {
    return this.#newestModified
  }

  /** There is a domain that was modified then. */
  has(modified: number): void {
    this.#newestModified = Math.max(this.#newestModified, modified)
  }

  /** A new version was taken over; `lagMillis` is its age, unless the domain was not here before. */
  updated(lagMillis: number | undefined): void {
    this.counters.updates++
    if (lagMillis !== undefined) this.onPropagation?.(Math.max(0, lagMillis))
  }

  /** A domain could not be taken over. */
  domainFailed(name: string, error: unknown): void {
    const reason = messageOf(error)
    if (error instanceof SourceFailure) this.counters.failures++
    else this.counters.validationFailures++
    if (this.#failing.get(name) === reason) return
    this.#failing.set(name, reason)
    this.#options.log('warn', `domain ${name}: its new version is not taken over: ${reason}`)
  }

  /** A domain was taken over, or is gone. */
  domainSettled(name: string): void {
    if (this.#failing.delete(name)) this.#options.log('info', `domain ${name}: it is up to date again`)
  }

  /** A condition that has not ended, if there is one. */
  get lasting(): string | undefined {
    const [first] = this.#conditions.values()
    return first
  }

  /** Writes a line when something that may last begins, changes or, with undefined, ends. */
  condition(kind: string, message: string | undefined): void {
    const former = this.#conditions.get(kind)
    if (former === message) return
    if (message === undefined) {
      this.#conditions.delete(kind)
      this.#options.log('info', `domains: no longer: ${former}`)
      return
    }
    this.#conditions.set(kind, message)
    this.#options.log('warn', `domains: ${message}`)
  }
}
