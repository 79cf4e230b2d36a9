import { conflict } from '#core/error/service-error.ts'
import type { RoleMember } from '../store/model.ts'
import type { FoundMembership, MemberQueries, Transaction } from '../store/store.ts'
import { type CollectionKind, groupKind, roleKind } from './collection.ts'
import type { ZmsDependencies } from './dependencies.ts'
import type { WriteSubject } from './writes.ts'

/** A membership in any domain. */
export interface SweptMembership extends FoundMembership {
  readonly kind: CollectionKind
}

/** What a sweep of memberships is about. */
export interface Sweep {
  readonly subject: Omit<WriteSubject, 'domains'>
  /** Full names of the principals. */
  readonly principals: readonly string[]
  /** Further domains that the work changes, looked up anew at every try. */
  readonly alsoChanges?: () => Promise<readonly string[]>
}

/** A membership may turn up in another domain between the search and the locks; then everything is looked up anew. */
const TRIES = 10

/**
 * Does something about all active memberships of principals, in one transaction that holds every domain they are in.
 * `work` gets the memberships of that moment.
 */
export async function sweepMemberships(
  { store, writes }: Pick<ZmsDependencies, 'store' | 'writes'>,
  { subject, principals, alsoChanges }: Sweep,
  work: (transaction: Transaction, memberships: readonly SweptMembership[]) => Promise<void> | void,
): Promise<void> {
  for (let tries = TRIES; tries > 0; tries--) {
    const also = (await alsoChanges?.()) ?? []
    const domains = new Set([...also, ...(await find(store, principals)).map(({ domain }) => domain)])
    const done = await writes.commit({ ...subject, domains: [...domains] }, async (transaction) => {
      const found = await find(transaction.queries, principals)
      if (found.some(({ domain }) => !domains.has(domain))) return false
      await work(transaction, found)
      return true
    })
    if (done) return
  }
  throw conflict('Concurrent update conflict, please retry your operation later.')
}

async function find(queries: MemberQueries, principals: readonly string[]): Promise<SweptMembership[]> {
  const found: SweptMembership[] = []
  for (const principal of principals) {
    for (const membership of await queries.rolesOfMember(principal)) found.push({ ...membership, kind: roleKind })
    for (const membership of await queries.groupsOfMember(principal)) found.push({ ...membership, kind: groupKind })
  }
  return found
}

/** The membership itself, as the transaction sees it. */
export async function sweptMember(
  transaction: Transaction,
  { kind, domain, collection, member }: SweptMembership,
): Promise<RoleMember | undefined> {
  const stored = await transaction.domain(domain)
  return stored && kind.find(stored, collection)?.members.get(member)
}
