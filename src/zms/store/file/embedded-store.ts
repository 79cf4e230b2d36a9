import { messageOf } from '#core/error/message-of.ts'
import { badRequest, ServiceError } from '#core/error/service-error.ts'
import type { Journal } from '#core/journal/journal.ts'
import type { Clock } from '#core/seam/clock.ts'
import type { FileLock } from '#core/seam/file-system.ts'
import type { Change } from '../change.ts'
import type { Locks } from '../locks.ts'
import { type NoticeClaim, type NoticeKind, noticeDates, noticeSubject } from '../notices.ts'
import type { FoundMembership, Store, Transaction } from '../store.ts'
import { CollectingTransaction } from '../transaction.ts'
import { withAssertionIds } from './assertion-ids.ts'
import { changeText } from './change-form.ts'
import type { Checkpoint } from './checkpoint.ts'
import type { Memory, TransactionPlace } from './memory.ts'
import { MemoryQueries } from './memory-queries.ts'
import type { LoggedChange, NoticeChange } from './notice-change.ts'

/** What an embedded store is made of. */
export interface EmbeddedStoreParts {
  readonly memory: Memory
  readonly journal: Journal
  readonly locks: Locks
  readonly checkpoint: Checkpoint
  /** Keeps other processes away. */
  readonly lock: FileLock
  readonly clock: Clock
  /** Size of the journal in bytes from which on documents take its place. */
  readonly checkpointBytes: number
  /** A line for the server's log. */
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
}

/** A transaction that was just made durable. */
export interface DurableTransaction extends TransactionPlace {
  /** JSON text of its list of changes. */
  readonly changes: string
}

/**
 * The embedded store: reads are answered from memory, a transaction changes the memory as soon as it is durable in the
 * journal. Transactions of different domains run side by side and share writes to the disk.
 */
export class EmbeddedStore extends MemoryQueries implements Store {
  readonly #parts: EmbeddedStoreParts
  readonly #active = new Set<Promise<unknown>>()
  readonly #followers: ((transaction: DurableTransaction) => void)[] = []
  #checkpoint: Promise<void> | undefined
  #checkpointFailed = false
  #closing: Promise<void> | undefined

  constructor(parts: EmbeddedStoreParts) {
    super(parts.memory)
    this.#parts = parts
  }

  /** All data as they are now, which change while they are read; not to be written. */
  get memory(): Memory {
    return this.#parts.memory
  }

  /** Sequence of the last transaction that is durable. */
  get sequence(): number {
    return this.#parts.journal.sequence
  }

  /** Calls `follower` with every transaction that is durable from now on, in their order and before anybody learns of it. */
  follow(follower: (transaction: DurableTransaction) => void): void {
    this.#followers.push(follower)
  }

  /** So many ids of assertions that nobody else gets; they follow each other, and the first is given. */
  reserveAssertionIds(count: number): number {
    const first = this.#parts.memory.nextAssertionId()
    this.#parts.memory.reserveAssertionIds(first + count - 1)
    return first
  }

  transact<T>(domains: readonly string[], decide: (transaction: Transaction) => Promise<T> | T): Promise<T> {
    return this.#hold(domains, () => this.#run(new Set(domains), decide))
  }

  async claimNotices(
    kind: NoticeKind,
    subjects: readonly FoundMembership[],
    { server, at, notSince }: NoticeClaim,
  ): Promise<FoundMembership[]> {
    const { memory, journal, clock } = this.#parts
    const claimed: FoundMembership[] = []
    for (const [name, places] of Map.groupBy(subjects, ({ domain }) => domain)) {
      const notes = await this.#hold([name], async () => {
        const stored = memory.domains.get(name)
        const free = places.filter(({ collection, member }) => {
          const subject = stored && noticeSubject(kind, stored, collection, member)
          return subject && (noticeDates(kind, subject).notifiedTime ?? Number.NEGATIVE_INFINITY) < notSince
        })
        const changes = free.map(
          ({ domain, collection, member }): NoticeChange => ({
            kind: 'noteNotice',
            notice: kind,
            domain,
            collection,
            member,
            at,
            server,
          }),
        )
        if (changes.length > 0) await this.#log(changes, journal.timeFor(clock()))
        return free
      })
      claimed.push(...notes)
    }
    return claimed
  }

  async check(): Promise<boolean> {
    return !this.#closing && this.#parts.journal.check()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** Resolves when no checkpoint is running. */
  async settled(): Promise<void> {
    await this.#checkpoint
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#active)
    await this.#checkpoint
    await this.#parts.journal.close()
    this.#parts.lock.release()
  }

  /** Runs something that nobody else who changes the domains runs beside. */
  async #hold<T>(domains: readonly string[], run: () => Promise<T>): Promise<T> {
    if (this.#closing) throw new ServiceError('unavailable', 'The store is closed')
    const work = this.#parts.locks.hold(domains, run)
    this.#active.add(work)
    try {
      return await work
    } finally {
      this.#active.delete(work)
    }
  }

  async #run<T>(locked: ReadonlySet<string>, decide: (transaction: Transaction) => Promise<T> | T): Promise<T> {
    const { memory, journal, clock } = this.#parts
    const transaction = new CollectingTransaction({
      now: journal.timeFor(clock()),
      locked,
      load: (name) => memory.domains.get(name),
      queries: this,
    })
    const result = await decide(transaction)
    if (transaction.changes.length > 0) await this.#commit(transaction)
    return result
  }

  async #commit({ now: at, changes }: CollectingTransaction): Promise<void> {
    this.#requireNew(changes)
    await this.#log(
      withAssertionIds(changes, () => this.#parts.memory.nextAssertionId()),
      at,
    )
  }

  /** Makes changes durable, and then visible. */
  async #log(changes: readonly LoggedChange[], at: number): Promise<void> {
    const { memory, journal, checkpoint } = this.#parts
    const text = `[${changes.map(changeText).join(',')}]`
    await journal.append({
      at,
      changes: text,
      durable: (sequence, stamp) => {
        for (const follower of this.#followers) follower({ sequence, at, stamp, changes: text })
        memory.apply(changes, { sequence, at, stamp })
        checkpoint.note(sequence, domainsOf(changes))
      },
    })
    // One that failed is tried again only after as much journal as usual.
    const isUrgent = journal.suspect && !this.#checkpointFailed
    if (isUrgent || journal.bytes >= this.#parts.checkpointBytes) this.#startCheckpoint()
  }

  /** A domain is created only once. */
  #requireNew(changes: readonly Change[]): void {
    const exists = new Map<string, boolean>()
    for (const change of changes) {
      if (change.kind === 'deleteDomain') exists.set(change.domain, false)
      if (change.kind !== 'createDomain') continue
      if (exists.get(change.domain) ?? this.#parts.memory.domains.has(change.domain)) {
        throw badRequest('Entry already exists')
      }
      exists.set(change.domain, true)
    }
  }

  #startCheckpoint(): void {
    if (this.#checkpoint || this.#closing) return
    this.#checkpoint = this.#runCheckpoint().finally(() => {
      this.#checkpoint = undefined
    })
  }

  async #runCheckpoint(): Promise<void> {
    const { checkpoint, log } = this.#parts
    try {
      await checkpoint.run()
      this.#checkpointFailed = false
    } catch (error) {
      this.#checkpointFailed = true
      log('error', `checkpoint: ${messageOf(error)}; the journal is kept`)
    }
  }
}

/** Domains that the changes are about. */
export const domainsOf = (changes: readonly LoggedChange[]): Set<string> =>
  new Set(changes.flatMap((change) => ('domain' in change ? [change.domain] : [])))
