import type { Calls } from '#core/workers/calls.ts'
import type { Change } from '../change.ts'
import type { DomainHistoryQuery } from '../domain-history.ts'
import type { NoticeClaim, NoticeKind } from '../notices.ts'
import type { FoundMembership } from '../store.ts'
import { changeOf } from './change-form.ts'
import { domainPieces, SharedTexts } from './domain-form.ts'
import type { DurableTransaction, EmbeddedStore } from './embedded-store.ts'

/** Name under which the store's methods are served; topics begin with it. */
export const FEED = 'store'

/** What belongs to no domain, and which domains there are, at the beginning of a copy. */
export interface CopyBeginning {
  readonly principals: readonly (readonly [string, number])[]
  readonly dependencies: readonly (readonly [string, readonly string[]])[]
  readonly lastAssertionId: number
  readonly lastModified: number
  readonly names: readonly string[]
  /** Sequence of the last transaction that is in all of it; those that follow are told. */
  readonly sequence: number
}

/** Domains of a copy: name and JSON text, which is absent for one that was deleted meanwhile. */
export type CopiedDomains = readonly (readonly [name: string, text: string | undefined])[]

/** A transaction that a follower may decide: the domains are locked. */
export interface GrantedTransaction {
  readonly id: number
  /** Its time, in epoch milliseconds. */
  readonly now: number
  /** Sequence of the last transaction that changed what it reads. */
  readonly sequence: number
}

/** A transaction whose changes are not known yet. */
interface OpenTransaction {
  readonly decide: (changes: readonly Change[]) => void
  readonly done: Promise<void>
}

/** Where the sequence of the last transaction is made known before anybody is told of it. */
export interface SequenceMark {
  set(sequence: number): void
}

/**
 * Gives other processes of the server copies of the embedded store that follow it, and makes their transactions. Everybody
 * can see at any time, from the mark, how far a copy has to be to be the newest: it is set when a transaction is durable,
 * before anybody is told so.
 */
export class StoreFeed {
  readonly #store: EmbeddedStore
  readonly #followers = new Set<Calls>()

  constructor(store: EmbeddedStore, mark: SequenceMark) {
    this.#store = store
    mark.set(store.sequence)
    store.follow((transaction) => {
      mark.set(transaction.sequence)
      for (const calls of this.#followers) calls.notify(`${FEED}.changes`, transaction satisfies DurableTransaction)
    })
  }

  /** Serves a process; what it leaves undone when it ends is given up. */
  attach(calls: Calls): void {
    const store = this.#store
    const transactions = new OpenTransactions(store)
    calls.serve(FEED, {
      copy: () => this.#beginCopy(calls),
      domains: (names: readonly string[]) => this.#copyDomains(calls, names),
      begin: (domains: readonly string[]) => transactions.begin(domains),
      finish: (id: number, changes: string | undefined) => transactions.finish(id, changes),
      reserveAssertionIds: (count: number) => store.reserveAssertionIds(count),
      claimNotices: (kind: NoticeKind, subjects: readonly FoundMembership[], claim: NoticeClaim) =>
        store.claimNotices(kind, subjects, claim),
      roleAudit: (domain: string, role: string) => store.roleAudit(domain, role),
      groupAudit: (domain: string, group: string) => store.groupAudit(domain, group),
      domainHistory: (query: DomainHistoryQuery) => store.domainHistory(query),
      check: () => store.check(),
    })
    calls.onClose(() => {
      this.#followers.delete(calls)
      transactions.giveUp()
    })
  }

  /** In one turn, so that no transaction comes between what is told here and those that are told from now on. */
  #beginCopy(calls: Calls): void {
    const { memory, sequence } = this.#store
    const { principals, dependencies, lastAssertionId, lastModified } = memory.globals()
    this.#followers.add(calls)
    calls.notify(`${FEED}.copy`, {
      principals: [...principals],
      dependencies: [...dependencies].map(([domain, services]) => [domain, [...services]] as const),
      lastAssertionId,
      lastModified,
      names: [...memory.domains.keys()],
      sequence,
    } satisfies CopyBeginning)
  }

  /** In one turn, too: a domain as it is told holds what was told of it before. */
  #copyDomains(calls: Calls, names: readonly string[]): void {
    const { domains } = this.#store.memory
    const copied: CopiedDomains = names.map((name) => {
      const domain = domains.get(name)
      return [name, domain && [...domainPieces(domain)].join('')]
    })
    calls.notify(`${FEED}.domains`, copied)
  }
}

function changesOf(text: string): Change[] {
  const texts = new SharedTexts()
  return (JSON.parse(text) as object[]).map((form) => changeOf(form, texts) as Change)
}

/** Transactions of one process, from their beginning to their end. */
class OpenTransactions {
  readonly #store: EmbeddedStore
  readonly #open = new Map<number, OpenTransaction>()
  #lastId = 0

  constructor(store: EmbeddedStore) {
    this.#store = store
  }

  begin(domains: readonly string[]): Promise<GrantedTransaction> {
    const id = ++this.#lastId
    const granted = Promise.withResolvers<GrantedTransaction>()
    const decided = Promise.withResolvers<readonly Change[]>()
    const done = this.#store.transact(domains, async (transaction) => {
      granted.resolve({ id, now: transaction.now, sequence: this.#store.sequence })
      transaction.apply(...(await decided.promise))
    })
    this.#open.set(id, { decide: decided.resolve, done })
    // After it was granted its end is told to whoever finishes it.
    done.catch((error: unknown) => {
      this.#open.delete(id)
      granted.reject(error)
    })
    return granted.promise
  }

  /** Commits the changes (JSON text of their list); without any nothing happens. */
  async finish(id: number, text: string | undefined): Promise<void> {
    const transaction = this.#open.get(id)
    if (transaction === undefined) throw new Error(`there is no transaction ${id}`)
    this.#open.delete(id)
    let changes: readonly Change[] = []
    try {
      if (text !== undefined) changes = changesOf(text)
    } finally {
      // Whatever is wrong with them, the locks are not kept.
      transaction.decide(changes)
    }
    await transaction.done
  }

  giveUp(): void {
    for (const { decide } of this.#open.values()) decide([])
    this.#open.clear()
  }
}
