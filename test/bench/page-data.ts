import { Members } from '#core/rbac/members.ts'
import type { DomainChange } from '#zms/store/change.ts'
import type {
  Assertion,
  Domain,
  Group,
  MemberAudit,
  PendingRoleMember,
  Policy,
  Role,
  RoleBase,
  RoleMember,
} from '#zms/store/model.ts'
import type { Store } from '#zms/store/store.ts'
import type { Sights } from '../ui/page-visits.ts'
import { benchDomain, STANDARD_SIZE, uuidOf } from './data.ts'

/** Sizes at which pages are measured. */
export interface PageSizes {
  /** Domains that the administrator has, all below {@link LARGE}; each with a review that is due and a membership that ends. */
  readonly domains: number
  /** Roles of the large domain. */
  readonly roles: number
  /** Members of one of its roles, and of one of its groups. */
  readonly members: number
  /** Assertions of one of its policies. */
  readonly assertions: number
  /** Its services and further policies, so many each. */
  readonly objects: number
  /** Requests that the administrator may decide, and lines of a role's history. */
  readonly requests: number
}

/** A company: what no page may be slow at. */
export const COMPANY: PageSizes = {
  domains: 5000,
  roles: 10_000,
  members: 50_000,
  assertions: 10_000,
  objects: 1000,
  requests: 1000,
}

/** The domain in which everything is large. */
export const LARGE = 'company'
const ACCOUNT = 'account-of-the-company'
/** What is looked at in it; the id of the assertion is given by the store. */
export const LARGE_SIGHTS: Omit<Sights, 'assertion'> = {
  domain: LARGE,
  role: 'everybody',
  group: 'staff',
  member: 'user.employee777',
  indirectRole: 'others',
  delegatedRole: 'delegated',
  tag: { key: 'team', value: 'team7' },
  policy: 'everything',
  version: 'next',
  service: 'service7',
  template: 'user_provisioning',
  action: 'read',
  resource: `${LARGE}:thing.777`,
  sought: [LARGE, 'group', 'service', 'user.employee', 'team7', ACCOUNT],
}
/** The domain that chooses the members of the delegated role. */
const PARTNER = `${LARGE}.partner`

const ADMINISTRATOR = 'user.admin'
const DAY_MILLIS = 86_400_000
const STAMPS = { modified: 0, created: 0 }
/** Transactions under way at the same time while data are made. */
const PARALLEL = 16
const AUDIT_PER_TRANSACTION = 500

const roleOf = (name: string, members: readonly RoleMember[] = [], settings: Partial<RoleBase> = {}): Role => ({
  name,
  ...STAMPS,
  ...settings,
  members: new Members(members),
  pending: new Map(),
})

const policyOf = (name: string, assertions: readonly Assertion[], version = '0'): Policy => ({
  name,
  version,
  active: version === '0',
  ...STAMPS,
  assertions: new Map(assertions.map((each, index) => [-1 - index, each])),
})

const adminPolicy = (domain: string): Policy =>
  policyOf('admin', [{ role: 'admin', resource: `${domain}:*`, action: '*', effect: 'ALLOW' }])

const named = <T extends { readonly name: string }>(objects: readonly T[]) =>
  new Map(objects.map((object) => [object.name, object]))

const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at))

/** The large domain. */
export function largeDomain(sizes: PageSizes): Domain {
  const { role, group, policy, version, template, indirectRole, delegatedRole, tag } = LARGE_SIGHTS
  const employees = employeesOf(sizes)
  const assertions = times(
    sizes.assertions,
    (at): Assertion => ({
      role: at % 3 === 0 ? role : `role${at % sizes.roles}`,
      action: at % 2 === 0 ? 'write' : 'read',
      resource: `${LARGE}:thing.${at}${at % 10 === 0 ? '.*' : ''}`,
      effect: at % 20 === 0 ? 'DENY' : 'ALLOW',
    }),
  )
  const versions = (each: Policy, ...others: Policy[]): [string, Map<string, Policy>] => [
    each.name,
    new Map([each, ...others].map((one) => [one.version, one])),
  ]
  const ordinary = benchDomain(0, { ...STANDARD_SIZE, services: sizes.objects })
  return {
    ...ordinary,
    name: LARGE,
    id: uuidOf(LARGE),
    account: ACCOUNT,
    roles: named([
      roleOf('admin', [{ memberName: ADMINISTRATOR }]),
      roleOf(role, employees, { selfServe: true, memberReviewDays: 30 }),
      roleOf(indirectRole, [{ memberName: `${LARGE}:group.${group}` }]),
      roleOf(delegatedRole, [], { trust: PARTNER }),
      ...times(sizes.roles - 4, (at) =>
        roleOf(`role${at}`, [{ memberName: `user.employee${at}` }], { tags: new Map([[tag.key, [`team${at % 10}`]]]) }),
      ),
    ]),
    groups: named<Group>([
      roleOf(
        group,
        // Memberships of groups are not reviewed one by one.
        employees.map(({ reviewReminder: _, ...member }) => member),
      ),
      ...times(sizes.objects, (at) => roleOf(`group${at}`)),
    ]),
    policies: new Map([
      versions(adminPolicy(LARGE)),
      versions(policyOf(policy, assertions), policyOf(policy, assertions, version)),
      ...times(sizes.objects, (at) => versions(policyOf(`policy${at}`, assertions.slice(at, at + 1)))),
    ]),
    templates: new Map([[template, 1]]),
  }
}

/** Those who expire come to an end later, have done so, or should have been reviewed. */
const employeesOf = ({ members }: PageSizes): RoleMember[] =>
  times(members, (at) => ({
    memberName: `user.employee${at}`,
    requestPrincipal: ADMINISTRATOR,
    ...(at % 10 === 0 && { expiration: Date.UTC(at % 20 === 0 ? 2099 : 2019, 0, 1) + at * 1000 }),
    ...(at % 10 === 1 && { reviewReminder: Date.UTC(2019, 0, 1) }),
  }))

/** The domain in which everybody may assume the delegated role. */
function partnerDomain(sizes: PageSizes): Domain {
  const resource = `${LARGE}:role.${LARGE_SIGHTS.delegatedRole}`
  const assume = policyOf('assume', [{ role: 'people', action: 'assume_role', resource, effect: 'ALLOW' }])
  return {
    ...benchDomain(1),
    name: PARTNER,
    id: uuidOf(PARTNER),
    roles: named([roleOf('admin', [{ memberName: ADMINISTRATOR }]), roleOf('people', employeesOf(sizes))]),
    policies: new Map([adminPolicy(PARTNER), assume].map((each) => [each.name, new Map([[each.version, each]])])),
    services: new Map(),
  }
}

/** A domain of the administrator, with a review that is due, and a membership that ends. */
function smallDomain(index: number, now: number): Domain {
  const name = `${LARGE}.team${index}`
  const day = index % 20
  const ending = { memberName: ADMINISTRATOR, expiration: now + (day - 5) * DAY_MILLIS }
  return {
    ...benchDomain(index),
    name,
    id: uuidOf(name),
    roles: named([
      roleOf('admin', [{ memberName: ADMINISTRATOR }, { memberName: `user.employee${index}` }]),
      roleOf('writers', [ending], { memberExpiryDays: 30, lastReviewedDate: now - (40 + day) * DAY_MILLIS }),
      roleOf(
        'readers',
        times(5, (at) => ({ memberName: `user.employee${index * 5 + at}` })),
        { reviewEnabled: true },
      ),
    ]),
    policies: new Map([['admin', new Map([['0', adminPolicy(name)]])]]),
    services: new Map([...benchDomain(index).services].slice(0, 1)),
  }
}

/** Writes the data of {@link PageSizes} to a store. */
export async function fillForPages(store: Store, sizes: PageSizes = COMPANY): Promise<void> {
  const now = Date.now()
  const create = (value: Domain) =>
    store.transact([value.name], (transaction) =>
      transaction.apply({ kind: 'createDomain', domain: value.name, value }),
    )
  await create(largeDomain(sizes))
  await create(partnerDomain(sizes))
  const rest = times(sizes.domains - 2, (index) => index).values()
  await Promise.all(
    times(PARALLEL, async () => {
      for (const index of rest) await create(smallDomain(index, now))
    }),
  )
  await each(sizes.requests, (at) => {
    const requested: PendingRoleMember = {
      memberName: `user.new${at}`,
      requestPrincipal: `user.new${at}`,
      requestTime: now - at * 60_000,
      pendingState: 'ADD',
    }
    const domain = `${LARGE}.team${at % (sizes.domains - 2)}`
    return [{ kind: 'putPendingRoleMember', domain, role: 'readers', value: requested }]
  })
  await each(Math.ceil(sizes.requests / AUDIT_PER_TRANSACTION), (part) =>
    times(AUDIT_PER_TRANSACTION, (at): DomainChange => {
      const created = Math.floor(now / 1000) * 1000 - (part + 1) * AUDIT_PER_TRANSACTION * 1000 + at * 1000
      const value: MemberAudit = { admin: ADMINISTRATOR, member: `user.employee${at}`, created, action: 'ADD' }
      return { kind: 'addRoleAudit', domain: LARGE, role: LARGE_SIGHTS.role, value }
    }),
  )

  async function each(count: number, changesOf: (at: number) => DomainChange[]): Promise<void> {
    for (let at = 0; at < count; at++) {
      const changes = changesOf(at)
      const domains = [...new Set(changes.map(({ domain }) => domain))]
      await store.transact(domains, (transaction) => transaction.apply(...changes))
    }
  }
}
