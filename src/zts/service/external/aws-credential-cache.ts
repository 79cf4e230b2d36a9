import { LRUCache } from 'lru-cache'
import { type AssumeRoleQuestion, type AwsCredentials, type RoleAssumer, RoleNotAssumed } from './role-assumer.ts'

/** How long answers of AWS are kept. */
export interface AwsCredentialCacheSettings {
  /** Credentials; not beyond their own end. 0 keeps none. */
  readonly validSeconds: number
  /** Refusals. 0 keeps none. */
  readonly refusedSeconds: number
  /** Keep every failure so long, not only refusals. */
  readonly keepAllFailures: boolean
  /** How often entries that are over are thrown away. */
  readonly cleanSeconds: number
}

/** Who asks for a role. */
export interface AwsCredentialOwner {
  readonly domain: string
  /** Full name. */
  readonly principal: string
}

type Outcome = AwsCredentials | RoleNotAssumed

interface Entry {
  readonly outcome: Outcome
  /** Epoch milliseconds. */
  readonly from: number
  readonly until: number
}

const SECOND_MILLIS = 1000
const ENTRIES_MAX = 10_000

/**
 * Keeps what AWS answered for a while, per domain, principal, role, duration and external id. Those who ask for the same
 * at the same time share one question.
 */
export class AwsCredentialCache {
  readonly #assumer: RoleAssumer
  readonly #settings: AwsCredentialCacheSettings
  /** Epoch milliseconds. */
  readonly #now: () => number
  readonly #entries = new LRUCache<string, Entry>({ max: ENTRIES_MAX })
  readonly #underWay = new Map<string, Promise<Outcome>>()
  #cleanedAt: number

  constructor(assumer: RoleAssumer, settings: AwsCredentialCacheSettings, now: () => number) {
    this.#assumer = assumer
    this.#settings = settings
    this.#now = now
    this.#cleanedAt = now()
  }

  /** Rejects with {@link RoleNotAssumed}. */
  async credentials({ domain, principal }: AwsCredentialOwner, question: AssumeRoleQuestion): Promise<AwsCredentials> {
    this.#clean()
    const { roleArn, durationSeconds, externalId } = question
    // As JSON, in which no value can look like two.
    const key = JSON.stringify([domain, principal, roleArn, durationSeconds ?? null, externalId ?? null])
    const known = this.#entries.get(key)
    const outcome = known !== undefined && this.#counts(known) ? known.outcome : await this.#ask(key, question)
    if (outcome instanceof RoleNotAssumed) throw outcome
    return outcome
  }

  #ask(key: string, question: AssumeRoleQuestion): Promise<Outcome> {
    let asked = this.#underWay.get(key)
    if (asked === undefined) {
      asked = this.#outcomeOf(key, question).finally(() => this.#underWay.delete(key))
      this.#underWay.set(key, asked)
    }
    return asked
  }

  async #outcomeOf(key: string, question: AssumeRoleQuestion): Promise<Outcome> {
    const outcome = await this.#assumer.assume(question).catch((error: unknown) => {
      if (error instanceof RoleNotAssumed) return error
      throw error
    })
    const until = this.#keptUntil(outcome)
    const from = this.#now()
    if (until > from) this.#entries.set(key, { outcome, from, until })
    else this.#entries.delete(key)
    return outcome
  }

  #keptUntil(outcome: Outcome): number {
    const { validSeconds, refusedSeconds, keepAllFailures } = this.#settings
    const now = this.#now()
    if (!(outcome instanceof RoleNotAssumed)) return Math.min(now + validSeconds * SECOND_MILLIS, outcome.expiration)
    return outcome.isRefusal || keepAllFailures ? now + refusedSeconds * SECOND_MILLIS : now
  }

  /** Secrets that are over shall not stay in memory. */
  #clean(): void {
    const now = this.#now()
    const age = now - this.#cleanedAt
    if (age >= 0 && age < this.#settings.cleanSeconds * SECOND_MILLIS) return
    this.#cleanedAt = now
    for (const [key, entry] of this.#entries.entries()) if (!this.#counts(entry)) this.#entries.delete(key)
  }

  /** A clock that was set back ends what was kept before: it must not count for longer than it was meant to. */
  #counts({ from, until }: Entry): boolean {
    const now = this.#now()
    return from <= now && now < until
  }
}
