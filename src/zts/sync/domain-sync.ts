import { setTimeout as wait } from 'node:timers/promises'
import { messageOf } from '#core/error/message-of.ts'
import type { MemoryDomains } from '../cache/memory-domains.ts'
import { type ChangeLogStore, type DomainChanges, type ListedDomain, SourceFailure } from './change-log-store.ts'
import {
  DomainReplica,
  type DomainReplicaParts,
  type LoadedCopy,
  type MissingDomains,
  SYSTEM_DOMAIN,
} from './domain-replica.ts'
import { type SyncCounters, type SyncHealth, SyncStatus } from './sync-status.ts'

/** How often what is done, in milliseconds. */
export interface SyncIntervals {
  /** Between two questions for changes, where the source does not hold its answers back. */
  readonly updateMillis: number
  /** Between two questions for deleted domains; never less than for changes. */
  readonly deleteMillis: number
  /** Between two comparisons with all domains of the source. */
  readonly checkMillis: number
  /** Domains that were received before this time are fetched again, … */
  readonly refetchMillis: number
  /** … so many at each comparison. */
  readonly refetchCount: number
}

/** What synchronization is made of. */
export interface DomainSyncParts extends Omit<DomainReplicaParts, 'status'> {
  readonly source: ChangeLogStore
  readonly intervals: SyncIntervals
  readonly log: (level: 'info' | 'warn', message: string) => void
  /** How long the start waits for a source that does not answer. */
  readonly patience?: StartPatience
  /** Milliseconds of a clock that nobody sets; that of the process by default. */
  readonly elapsed?: () => number
}

/** How long the start waits for the source, in milliseconds. */
export interface StartPatience {
  /** When there is a local copy to start with. */
  readonly withCopyMillis: number
  /** When there is none. */
  readonly withoutCopyMillis: number
}

const PATIENCE: StartPatience = { withCopyMillis: 5_000, withoutCopyMillis: 30_000 }
/** Longest time for which an answer may be held back. */
const MAX_WAIT_MILLIS = 30_000
/** Domains that are fetched at the same time. */
const PARALLEL_FETCHES = 8
/** After a change; others that follow at once are asked for together. */
const PAUSE_AFTER_NEWS_MILLIS = 50
const FIRST_RETRY_MILLIS = 500
/** An answer that was held back for less than this, without anything new in it, makes the next pause longer. */
const QUICK_ANSWER_MILLIS = 1_000
/** Without success for so many intervals, and this time on top, the domains are stale. */
const STALE_AFTER_INTERVALS = 2
const STALE_AFTER_MILLIS = 60_000

/** Keeps the domains in memory and in files the same as those of a source. */
export class DomainSync {
  readonly #source: ChangeLogStore
  readonly #replica: DomainReplica
  readonly #status: SyncStatus
  readonly #intervals: SyncIntervals
  readonly #patience: StartPatience
  readonly #log: DomainSyncParts['log']
  readonly #now: () => number
  readonly #elapsed: () => number
  readonly #closing = new AbortController()
  /** Domains whose new version could not be taken over. */
  readonly #pending = new Map<string, ListedDomain>()
  /** Of the last list whose domains are all taken over or pending. */
  #tag: string | undefined
  #savedTag: string | undefined
  #checkAt = 0
  #deleteAt = 0
  #retryAt = Number.POSITIVE_INFINITY
  #retries = 0
  #quietAnswers = 0
  #ended: Promise<void> = Promise.resolve()

  /**
   * Loads the local copy, brings it up to date and goes on doing so. Without an answer of the source it starts with the
   * local copy alone. Throws Error with the reason when there is too little of that: more than a quarter of it damaged,
   * or nothing about the servers themselves.
   */
  static async open(parts: DomainSyncParts): Promise<DomainSync> {
    const sync = new DomainSync(parts)
    try {
      await sync.#start()
    } catch (error) {
      await sync.close()
      throw error
    }
    sync.#ended = sync.#run()
    return sync
  }

  private constructor(parts: DomainSyncParts) {
    const { source, intervals, log, now, patience = PATIENCE, elapsed = () => performance.now() } = parts
    this.#source = source
    this.#intervals = { ...intervals, deleteMillis: Math.max(intervals.deleteMillis, intervals.updateMillis) }
    this.#patience = patience
    this.#log = log
    this.#now = now
    this.#elapsed = elapsed
    const staleAfterMillis = intervals.updateMillis * STALE_AFTER_INTERVALS + STALE_AFTER_MILLIS
    this.#status = new SyncStatus({ elapsed, staleAfterMillis, log })
    this.#replica = new DomainReplica({ ...parts, status: this.#status })
  }

  get domains(): MemoryDomains {
    return this.#replica.domains
  }

  get health(): SyncHealth {
    return this.#status.health
  }

  /** Newest modification time of a domain, in epoch milliseconds; 0 without any. */
  get newestModified(): number {
    return this.#status.newestModified
  }

  /** Tells a listener, one at most, how long changes take from ZMS to here. */
  set onPropagation(listener: (millis: number) => void) {
    this.#status.onPropagation = listener
  }

  get counters(): Readonly<SyncCounters> {
    return this.#status.counters
  }

  /**
   * Throws Error when there is nothing to answer requests from. Otherwise gives what is not as it should be: the copy is
   * stale, a domain in it is not the newest, or its files cannot be written; undefined when all is well.
   */
  check(): string | undefined {
    if (this.domains.get(SYSTEM_DOMAIN) === undefined) throw new Error(`the domain ${SYSTEM_DOMAIN} is not there`)
    const { state, ageMillis, failingDomains, reason } = this.health
    const age = ageMillis === undefined ? 'since the start' : `for ${Math.round(ageMillis / 1000)} s`
    if (state === 'stale') return `no news of the domains ${age}: ${reason ?? 'the source has not answered'}`
    if (failingDomains > 0) return `domains that are not up to date: ${failingDomains} (${reason})`
    return this.#status.lasting
  }

  /** Ends the synchronization; resolves when nothing is under way any more. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#ended
    await this.#source.close?.()
  }

  async #start(): Promise<void> {
    // The source is asked while the files are read.
    const asked = settled(this.#wholeList(this.#patience.withCopyMillis))
    const copy = await this.#replica.load()
    const isUsable = this.#replica.has(SYSTEM_DOMAIN) && copy.damaged <= Math.floor(copy.files / 4)
    let failure = await this.#bringUpToDate(await asked)
    if (isUsable && failure !== undefined) {
      this.#status.failed(failure)
      this.#log('warn', `domains: started with the ${this.#replica.size} domains of the local copy`)
      return
    }
    const end = this.#elapsed() + this.#patience.withoutCopyMillis
    for (let tries = 0; failure !== undefined; tries++) {
      this.#status.failed(failure)
      const isLasting = failure instanceof SourceFailure && failure.isLasting
      if (isLasting || this.#elapsed() >= end) throw startError(failure, copy)
      await this.#pause(Math.min(this.#backoff(tries), Math.max(0, end - this.#elapsed())))
      failure = await this.#bringUpToDate(await settled(this.#wholeList()))
    }
    if (this.#replica.has(SYSTEM_DOMAIN)) return
    throw startError(new Error(this.health.reason ?? `ZMS does not have the domain ${SYSTEM_DOMAIN}`), copy)
  }

  /** Takes over all that is newer in a whole list; gives why that could not be done. */
  async #bringUpToDate(asked: Settled<DomainChanges>): Promise<unknown> {
    if ('error' in asked) return asked.error
    try {
      // Those that are fetched now may be younger than the list, which is no sign of a backup then.
      const missing = this.#replica.missingIn(asked.value.domains)
      await this.#compare(asked.value)
      await this.#removeDeleted(asked.value, missing)
      return undefined
    } catch (error) {
      return error
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing
    for (let failures = 0; !signal.aborted; ) {
      try {
        await this.#round()
        failures = 0
      } catch (error) {
        if (signal.aborted) return
        this.#status.failed(error)
        await this.#pause(this.#backoff(failures++))
      }
    }
  }

  /** One after the other whatever is due, and then a question for changes. */
  async #round(): Promise<void> {
    if (this.#elapsed() >= this.#checkAt) await this.#check()
    if (this.#elapsed() >= this.#deleteAt) await this.#removeDeleted(await this.#wholeList())
    if (this.#elapsed() >= this.#retryAt) await this.#fetch([...this.#pending.values()])
    await this.#update()
  }

  /** Asks for changes, waits for them where the source lets it, and takes them over. */
  async #update(): Promise<void> {
    const askedAt = this.#elapsed()
    const waitMillis = Math.min(this.#dueAt() - askedAt, MAX_WAIT_MILLIS)
    const waitSeconds = Math.max(0, Math.floor(waitMillis / 1000))
    const answer = await this.#source.changes(this.#tag, { waitSeconds, signal: this.#closing.signal })
    this.#status.succeeded()
    // Those that fail are tried again at times of their own, not each time the list has them.
    const outdated = this.#replica
      .outdated(answer.domains)
      .filter(({ name, modified }) => this.#pending.get(name)?.modified !== modified)
    const isNews = await this.#fetch(outdated)
    await this.#advance(answer.tag)
    await this.#pause(this.#pauseAfter(answer, isNews, this.#elapsed() - askedAt))
  }

  #pauseAfter({ held }: DomainChanges, isNews: boolean, tookMillis: number): number {
    if (!held) {
      const { updateMillis } = this.#intervals
      return Math.min(jittered(updateMillis), Math.max(0, this.#dueAt() - this.#elapsed()))
    }
    const isQuick = tookMillis < QUICK_ANSWER_MILLIS
    this.#quietAnswers = isNews || !isQuick ? 0 : this.#quietAnswers + 1
    if (!isQuick) return 0
    return Math.min(PAUSE_AFTER_NEWS_MILLIS * 2 ** this.#quietAnswers, this.#intervals.updateMillis)
  }

  /** Compares with all domains of the source, and fetches some again that were received long ago. */
  async #check(): Promise<void> {
    const list = await this.#wholeList()
    await this.#compare(list)
    const { refetchMillis, refetchCount } = this.#intervals
    const old = new Set(await this.#replica.olderThan(this.#now() - refetchMillis, refetchCount))
    await this.#fetch(list.domains.filter(({ name }) => old.has(name)))
  }

  async #compare(list: DomainChanges): Promise<void> {
    const newer = this.#replica.newerThan(list.domains)
    this.#status.condition(
      'older',
      newer.length === 0
        ? undefined
        : `ZMS has ${newer.length} domains in an older version than the copy (one is ${newer[0]?.name}); the copy stays in use until they change in ZMS (was ZMS restored from a backup?)`,
    )
    await this.#fetch(this.#replica.outdated(list.domains))
    await this.#advance(list.tag)
    this.#checkAt = this.#elapsed() + this.#intervals.checkMillis
  }

  /**
   * Removes the domains that the source has deleted. An empty list or one without the system domain is not believed, nor
   * what a source does not have that was restored from a backup, and no list is enough: the source is asked for each
   * domain once more.
   */
  async #removeDeleted({ domains }: DomainChanges, missing = this.#replica.missingIn(domains)): Promise<void> {
    const isCredible = domains.some(({ name }) => name === SYSTEM_DOMAIN)
    this.#status.condition(
      'list',
      isCredible ? undefined : `the list of ZMS is not believed, nothing is deleted: ${SYSTEM_DOMAIN} is not in it`,
    )
    const { deleted, lost } = isCredible ? missing : NONE_MISSING
    this.#status.condition(
      'lost',
      lost.length === 0
        ? undefined
        : `ZMS does not have ${lost.length} domains that may be younger than the backup it was restored from (one is ${lost[0]}); the copy of them stays in use as long as ZMS has others in an older version`,
    )
    for (const name of deleted) {
      const found = await this.#source.domain(name, { signal: this.#closing.signal })
      if (found !== undefined) continue
      await this.#replica.remove(name)
      this.#settle(name)
      this.#log('info', `domain ${name}: removed, since it is deleted in ZMS`)
    }
    this.#deleteAt = this.#elapsed() + this.#intervals.deleteMillis
  }

  /**
   * Takes over domains; gives whether there was anything new. One that fails is tried again later. Rejects when nothing
   * can be had at all, so that the others are not waited for one by one.
   */
  async #fetch(listed: readonly ListedDomain[]): Promise<boolean> {
    const queue = listed.values()
    let isNews = false
    let successes = 0
    const failures: { name: string; error: unknown }[] = []
    let inARow = 0
    const work = async () => {
      for (const each of queue) {
        if (inARow >= PARALLEL_FETCHES) {
          this.#pending.set(each.name, each)
          continue
        }
        try {
          isNews = (await this.#fetchOne(each)) || isNews
          successes++
          inARow = 0
        } catch (error) {
          this.#pending.set(each.name, each)
          failures.push({ name: each.name, error })
          inARow = isGeneral(error) ? inARow + 1 : 0
        }
      }
    }
    await Promise.all(Array.from({ length: PARALLEL_FETCHES }, work))
    this.#closing.signal.throwIfAborted()
    this.#scheduleRetry()
    const last = failures.at(-1)?.error
    if (isGeneral(last) && (inARow >= PARALLEL_FETCHES || successes === 0)) throw last
    for (const { name, error } of failures) this.#status.domainFailed(name, error)
    return isNews
  }

  async #fetchOne({ name, modified }: ListedDomain): Promise<boolean> {
    const signed = await this.#source.domain(name, { signal: this.#closing.signal })
    // Deleted since the list was made: the next whole list tells.
    const isNew = signed !== undefined && (await this.#replica.accept(name, signed))
    if (signed !== undefined && this.#replica.isOlder(name, modified)) {
      throw new SourceFailure('garbage', 'ZMS gives an older version of it than it lists')
    }
    this.#settle(name)
    return isNew
  }

  #settle(name: string): void {
    this.#pending.delete(name)
    this.#status.domainSettled(name)
  }

  #scheduleRetry(): void {
    if (this.#pending.size === 0) {
      this.#retryAt = Number.POSITIVE_INFINITY
      this.#retries = 0
    } else if (this.#retryAt === Number.POSITIVE_INFINITY || this.#elapsed() >= this.#retryAt) {
      this.#retryAt = this.#elapsed() + this.#backoff(this.#retries++)
    }
  }

  /** Goes on from a list; it is kept for the next start only when all of it is in files. */
  async #advance(tag: string | undefined): Promise<void> {
    if (tag !== undefined) this.#tag = tag
    if (this.#pending.size > 0 || !this.#replica.isSaved || this.#tag === undefined) return
    if (this.#tag === this.#savedTag) return
    if (await this.#replica.saveTag(this.#tag)) this.#savedTag = this.#tag
  }

  async #wholeList(timeoutMillis?: number): Promise<DomainChanges> {
    const { signal } = this.#closing
    const timeout = timeoutMillis === undefined ? undefined : AbortSignal.timeout(timeoutMillis)
    try {
      const either = timeout ? AbortSignal.any([signal, timeout]) : signal
      const list = await this.#source.changes(undefined, { waitSeconds: 0, signal: either })
      this.#status.succeeded()
      return list
    } catch (error) {
      if (!timeout?.aborted || signal.aborted) throw error
      throw new SourceFailure('timeout', 'ZMS does not answer in time', { cause: error })
    }
  }

  /** When something other than a question for changes is to be done. */
  #dueAt(): number {
    return Math.min(this.#checkAt, this.#deleteAt, this.#retryAt)
  }

  /** Longer after each failure, never longer than between two questions for changes; not all servers at once. */
  #backoff(failures: number): number {
    const millis = FIRST_RETRY_MILLIS * 2 ** Math.min(failures, 16)
    return jittered(Math.min(millis, this.#intervals.updateMillis, MAX_WAIT_MILLIS))
  }

  /** Ends early when the synchronization does. */
  async #pause(millis: number): Promise<void> {
    await wait(millis, undefined, { signal: this.#closing.signal }).catch(() => {})
  }
}

const NONE_MISSING: MissingDomains = { deleted: [], lost: [] }

/** How a promise was settled. */
type Settled<T> = { readonly value: T } | { readonly error: unknown }

const settled = <T>(promise: Promise<T>): Promise<Settled<T>> =>
  promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )

const isGeneral = (error: unknown): boolean => error instanceof SourceFailure && error.isGeneral

/** Between three quarters and all of a time. */
const jittered = (millis: number): number => millis * (0.75 + Math.random() / 4)

function startError(cause: unknown, { files, damaged }: LoadedCopy): Error {
  const reason = messageOf(cause)
  const copy =
    files === 0 ? 'there is no local copy' : `the local copy is not enough (${damaged} of ${files} files damaged)`
  return new Error(`the domains cannot be loaded: ${reason}; ${copy}`, { cause })
}
