import { Members } from '#core/rbac/members.ts'
import type { Assertion, Domain, Policy, Role, RoleMember } from '#zms/store/model.ts'
import type { Store } from '#zms/store/store.ts'
import { CALLER } from '../bench-zms.ts'
import { benchDomain, type DataSize, domainName, uuidOf } from '../data.ts'
import { instanceDomain } from '../instance-load.ts'
import type { Size } from './sizes.ts'

/** An ordinary domain, small enough to make ten thousand of them. */
export const ORDINARY_SIZE: Omit<DataSize, 'domains'> = {
  roles: 5,
  membersPerRole: 5,
  policies: 5,
  assertionsPerPolicy: 2,
  services: 1,
}

/** Role of every ordinary domain that the caller is in; its policy lets it read `table3.*`. */
const CALLERS_ROLE = 'role3'
const STAMPS = { modified: 0, created: 0 }
/** Transactions under way at the same time while data are made. */
const PARALLEL = 16

/** Role of a {@link sizedDomain} that has as many members as its size says, the caller the last one. */
export const SIZED_ROLE = 'sized'

/** Name of the domain with a role and a policy of that size. */
export const sizedDomainName = ({ members, assertions }: Pick<Size, 'members' | 'assertions'>): string =>
  `sized.m${members}-a${assertions}`

/** What the caller may read of it: the resource of the last assertion of the policy. */
export const sizedResource = (size: Pick<Size, 'members' | 'assertions'>): string =>
  `${sizedDomainName(size)}:part${size.assertions - 1}`

/** Names of the ordinary domains. */
export const ordinaryDomains = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => domainName(index))

/** A domain that the caller administers, with a role of so many members that may read what each assertion of a policy names. */
export function sizedDomain(size: Pick<Size, 'members' | 'assertions'>): Domain {
  const name = sizedDomainName(size)
  const admin: Assertion = { role: 'admin', resource: `${name}:*`, action: '*', effect: 'ALLOW' }
  const assertions = Array.from(
    { length: size.assertions },
    (_, index): Assertion => ({ role: SIZED_ROLE, resource: `${name}:part${index}`, action: 'read', effect: 'ALLOW' }),
  )
  const members = Array.from({ length: size.members }, (_, index): RoleMember => ({ memberName: `user.sized${index}` }))
  members[members.length - 1] = { memberName: CALLER }
  return {
    ...benchDomain(0),
    name,
    id: uuidOf(name),
    roles: new Map([
      ['admin', roleOf('admin', [{ memberName: CALLER }])],
      [SIZED_ROLE, roleOf(SIZED_ROLE, members)],
    ]),
    policies: new Map([
      ['admin', new Map([['0', policyOf('admin', [admin])]])],
      [SIZED_ROLE, new Map([['0', policyOf(SIZED_ROLE, assertions)]])],
    ]),
  }
}

const roleOf = (name: string, members: readonly RoleMember[]): Role => ({
  name,
  ...STAMPS,
  members: new Members(members),
  pending: new Map(),
})

const policyOf = (name: string, assertions: readonly Assertion[]): Policy => ({
  name,
  version: '0',
  active: true,
  ...STAMPS,
  assertions: new Map(assertions.map((each, index) => [-1 - index, each])),
})

/** The ordinary domains, each with the caller in a role. */
export function* ordinaryData(count: number): Generator<Domain> {
  for (let index = 0; index < count; index++) {
    const domain = benchDomain(index, { ...ORDINARY_SIZE, domains: count })
    domain.roles.get(CALLERS_ROLE)?.members.set({ memberName: CALLER })
    yield domain
  }
}

/** Fills a store with so many ordinary domains, one for each combination of sizes, and the domain of the instances. */
export async function fillSuite(
  store: Store,
  domains: number,
  sizes: readonly Pick<Size, 'members' | 'assertions'>[],
): Promise<void> {
  const sized = new Map(sizes.map((size) => [sizedDomainName(size), sizedDomain(size)]))
  const rest = chain(ordinaryData(domains), [...sized.values(), instanceDomain()])
  await Promise.all(
    Array.from({ length: PARALLEL }, async () => {
      for (let next = rest.next(); !next.done; next = rest.next()) {
        const { value } = next
        await store.transact([value.name], (transaction) =>
          transaction.apply({ kind: 'createDomain', domain: value.name, value }),
        )
      }
    }),
  )
}

function* chain<T>(...lists: readonly Iterable<T>[]): Generator<T> {
  for (const list of lists) yield* list
}
