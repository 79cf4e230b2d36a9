import type { Change } from '#zms/store/change.ts'
import type { Store } from '#zms/store/store.ts'
import { RandomChanges, randomFrom } from '../mysql/random-changes.ts'

/** A transaction of a workload: the domains it changes, and how. */
export interface Step {
  readonly domains: readonly string[]
  readonly changes: readonly Change[]
}

const DOMAINS = ['sports', 'sports.api', 'weather']

/** Transactions of all kinds over a few domains, the same for the same seed; some create and delete domains. */
export function workload(seed: number, length: number): Step[] {
  const random = new RandomChanges(randomFrom(seed))
  const alive = new Set<string>()
  return Array.from({ length }, (_, index) => {
    const domain = DOMAINS[random.below(DOMAINS.length)] as string
    const id = `id-${index}`
    if (!alive.has(domain)) {
      alive.add(domain)
      return { domains: [domain], changes: [{ kind: 'createDomain', domain, value: random.domain(domain, id) }] }
    }
    if (random.below(8) === 0) {
      alive.delete(domain)
      return { domains: [domain], changes: [{ kind: 'deleteDomain', domain }] }
    }
    // Sometimes several domains at once, all of it or nothing.
    const touched = random.below(3) === 0 ? [...alive] : [domain]
    const changes = touched.flatMap((each): Change[] => [
      ...Array.from({ length: 1 + random.below(3) }, () => random.change(each, id, [])),
      { kind: 'putEntity', domain: each, value: { name: 'step', value: String(index) } },
      {
        kind: 'addRoleAudit',
        domain: each,
        role: 'admin',
        value: { admin: 'user.admin', member: `user.m${index}`, created: 1_800_000_000_000, action: 'ADD' },
      },
    ])
    const bits = random.below(8)
    return {
      domains: touched,
      changes: [...changes, { kind: 'putPrincipal', principal: 'user.held', suspended: bits }],
    }
  })
}

/** Commits a transaction of a workload. */
export const commit = (store: Store, { domains, changes }: Step): Promise<void> =>
  store.transact(domains, (transaction) => transaction.apply(...changes))

/** A clock that is the same in every run. */
export function steadyClock(): () => number {
  let now = 1_800_000_000_000
  return () => {
    now += 10
    return now
  }
}
