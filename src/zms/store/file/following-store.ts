import { join } from 'node:path'
import { type FileSystem, nodeFileSystem } from '#core/seam/file-system.ts'
import { type Calls, remote } from '#core/workers/calls.ts'
import { type Change, isDomainChange } from '../change.ts'
import type { Domain } from '../model.ts'
import type { Store, StoreQueries, Transaction } from '../store.ts'
import { CollectingTransaction } from '../transaction.ts'
import { withAssertionIds } from './assertion-ids.ts'
import { changeText } from './change-form.ts'
import { CopiedData } from './copied-data.ts'
import { MemoryQueries } from './memory-queries.ts'
import { FEED, type GrantedTransaction } from './store-feed.ts'
import { followerLock } from './store-folder.ts'

/** What a following store is opened with. */
export interface FollowingStoreOptions {
  /** The process that has the store. */
  readonly calls: Calls
  /** Tells the sequence of the last transaction that anybody may have been told of. */
  readonly mark: { get(): number }
  /** Folder of the store; its next server waits for the end of this process. */
  readonly folder: string
  /** Of this process among those that follow. */
  readonly number: number
  readonly fileSystem?: FileSystem
}

/** Questions that are answered from the copy. */
type CopyQuery = Exclude<keyof StoreQueries, 'domain' | 'domains' | 'roleAudit' | 'groupAudit' | 'domainHistory'>

/** What only the process that has the store can answer. */
const REMOTE = ['claimNotices', 'roleAudit', 'groupAudit', 'domainHistory', 'check'] as const

const COPY_QUERIES: Readonly<Record<CopyQuery, true>> = {
  domainNames: true,
  modifiedDomains: true,
  domainsByAttribute: true,
  domainsByTag: true,
  domainsByMember: true,
  similarDomain: true,
  domainsByContact: true,
  domainsByTemplate: true,
  totalCounts: true,
  dependentDomains: true,
  dependentServices: true,
  rolesOfMember: true,
  groupsOfMember: true,
  rolesTrusting: true,
  wildcardMemberships: true,
  domainsWithPendingRoleMembers: true,
  domainsWithPendingGroupMembers: true,
  expiredRoleMembers: true,
  expiredGroupMembers: true,
  noticeSubjects: true,
  administeredDomains: true,
  dueReviews: true,
  decidableRequests: true,
  endingMemberships: true,
  search: true,
  searchServices: true,
  servicesOnHost: true,
  principal: true,
  principalNames: true,
  suspendedPrincipals: true,
}

/**
 * The embedded store as seen from another process of the server: a copy of its data, read after a look at the mark that
 * says whether it is the newest. Who was told of a transaction, by whatever process, finds it in every copy: the mark was
 * set before. Transactions are decided here, while the process that has the store holds the locks, and made there.
 */
export async function openFollowingStore(options: FollowingStoreOptions): Promise<Store> {
  const { calls, mark, folder, number, fileSystem = nodeFileSystem } = options
  const lock = await fileSystem.lock(join(folder, followerLock(number)))
  if (!lock) throw new Error(`${folder} is in use by another worker ${number}`)
  const data = await CopiedData.open(calls)
  const queries = new MemoryQueries(data.memory)
  /** Undefined when the copy is the newest; otherwise resolves when it is as new as it had to be. */
  const outdated = (): Promise<void> | undefined => {
    const sequence = mark.get()
    return sequence <= data.sequence ? undefined : data.reached(sequence)
  }
  const fresh = {
    domain(name: string) {
      const wait = outdated()
      return wait ? wait.then(() => queries.domain(name)) : queries.domain(name)
    },
    domains(names: readonly string[]) {
      const wait = outdated()
      return wait ? wait.then(() => queries.domains(names)) : queries.domains(names)
    },
    ...(Object.fromEntries(
      Object.keys(COPY_QUERIES).map((name) => [
        name,
        async (...args: never[]): Promise<unknown> => {
          await outdated()
          return (queries[name as CopyQuery] as (...args: never[]) => unknown).apply(queries, args)
        },
      ]),
    ) as unknown as Pick<StoreQueries, CopyQuery>),
    ...remote<Pick<Store, (typeof REMOTE)[number]>>(calls, FEED, REMOTE),
  }
  const finish = (id: number, changes?: string) => calls.call<void>(`${FEED}.finish`, id, changes)

  return {
    ...fresh,
    async transact<T>(domains: readonly string[], decide: (transaction: Transaction) => Promise<T> | T): Promise<T> {
      const { id, now, sequence } = await calls.call<GrantedTransaction>(`${FEED}.begin`, domains)
      let text: string | undefined
      let result: T
      try {
        await data.reached(sequence)
        const transaction = new CollectingTransaction({
          now,
          locked: new Set(domains),
          load: (name): Domain | undefined | Promise<Domain | undefined> => fresh.domain(name),
          queries: fresh,
        })
        result = await decide(transaction)
        if (transaction.changes.length > 0) text = textOf(await withReservedIds(calls, transaction.changes))
      } catch (error) {
        await finish(id)
        throw error
      }
      await finish(id, text)
      return result
    },
    async close() {
      lock.release()
    },
  }
}

const textOf = (changes: readonly Change[]): string => `[${changes.map(changeText).join(',')}]`

/** Gives new assertions their ids, for which the changes have stand-ins that cannot be written. */
async function withReservedIds(calls: Pick<Calls, 'call'>, changes: readonly Change[]): Promise<readonly Change[]> {
  if (!changes.some((change) => isDomainChange(change) && GIVES_IDS.has(change.kind))) return changes
  let needed = 0
  withAssertionIds(changes, () => ++needed)
  if (needed === 0) return changes
  let next = await calls.call<number>(`${FEED}.reserveAssertionIds`, needed)
  return withAssertionIds(changes, () => next++)
}

const GIVES_IDS: ReadonlySet<Change['kind']> = new Set<Change['kind']>(['createDomain', 'putAssertion'])
