import type { DomainChange } from '#zms/store/change.ts'
import type { Store } from '#zms/store/store.ts'

/** Adds a member to the role `readers` of the domain `sports`, which the data of the original have. */
export const addReader = (store: Store, member: string): Promise<void> =>
  store.transact(['sports'], (transaction) => {
    const change: DomainChange = {
      kind: 'putRoleMember',
      domain: 'sports',
      role: 'readers',
      value: { memberName: member },
    }
    transaction.apply(change)
  })

/** The members of that role. */
export const readersOf = async (store: Store): Promise<ReadonlySet<string>> =>
  new Set(
    [...((await store.domain('sports'))?.roles.get('readers')?.members.values() ?? [])].map((each) => each.memberName),
  )
