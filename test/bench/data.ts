import { createHash } from 'node:crypto'
import { Members } from '#core/rbac/members.ts'
import type { Assertion, Domain, Policy, Role, RoleMember, Service } from '#zms/store/model.ts'
import type { Store } from '#zms/store/store.ts'

/** Sizes of the data that benchmarks run on. */
export interface DataSize {
  readonly domains: number
  readonly roles: number
  readonly membersPerRole: number
  readonly policies: number
  readonly assertionsPerPolicy: number
  readonly services: number
}

/** A thousand domains of a middling company. */
export const STANDARD_SIZE: DataSize = {
  domains: 1000,
  roles: 20,
  membersPerRole: 5,
  policies: 20,
  assertionsPerPolicy: 2,
  services: 5,
}

/** Transactions under way at the same time while data are made. */
const PARALLEL = 16

const STAMPS = { modified: 0, created: 0 }

/** Name of the domain with that number. */
export const domainName = (index: number): string => `bench-${Math.floor(index / 10)}.team${index % 10}`

/**
 * Name of a member: users are in many domains, services in their own. Position 0 of role `r` of domain `d` is always
 * `user.person{d}-{r}`, who is in no other role, for questions with a known answer.
 */
export function memberName(size: DataSize, domain: number, role: number, position: number): string {
  if (position === 0) return `user.person${domain}-${role}`
  if (position % 4 === 3) return `${domainName(domain)}.service${(role + position) % Math.max(size.services, 1)}`
  return `user.employee${(domain * 31 + role * 7 + position * 101) % Math.max(size.domains * 2, 1)}`
}

/** The domain with that number, the same in every run: role `role3` may read and write `table3.*`. */
export function benchDomain(index: number, size: DataSize = STANDARD_SIZE): Domain {
  const name = domainName(index)
  return {
    name,
    id: uuidOf(name),
    description: `Domain ${index} of the benchmark`,
    org: `org-${index % 20}`,
    enabled: true,
    auditEnabled: false,
    ypmId: 0,
    autoDeleteTenantAssumeRoleAssertions: false,
    clientIdSelfUpdate: false,
    businessService: `business-${index % 50}`,
    ...STAMPS,
    roles: byName(Array.from({ length: size.roles }, (_, role) => benchRole(index, role, size))),
    groups: new Map(),
    policies: new Map(
      Array.from({ length: size.policies }, (_, policy) => [
        `policy${policy}`,
        new Map([['0', benchPolicy(name, policy, size)]]),
      ]),
    ),
    services: byName(Array.from({ length: size.services }, (_, service) => benchService(name, service))),
    entities: new Map(),
    templates: new Map(),
    policiesRevision: 0,
  }
}

function benchRole(domain: number, role: number, size: DataSize): Role {
  const members = Array.from({ length: size.membersPerRole }, (_, position): RoleMember => {
    const expiring = position % 5 === 4
    return {
      memberName: memberName(size, domain, role, position),
      requestPrincipal: 'user.admin',
      ...(expiring && { expiration: 4_102_444_800_000 }),
    }
  })
  return { name: `role${role}`, ...STAMPS, members: new Members(members), pending: new Map() }
}

function benchPolicy(domain: string, policy: number, size: DataSize): Policy {
  const assertions = new Map<number, Assertion>()
  for (let index = 0; index < size.assertionsPerPolicy; index++) {
    assertions.set(-1 - index, {
      role: `role${policy % Math.max(size.roles, 1)}`,
      resource: `${domain}:table${policy}.${index < 2 ? '*' : `part${index}`}`,
      action: index % 2 === 0 ? 'read' : 'write',
      effect: 'ALLOW',
    })
  }
  return { name: `policy${policy}`, version: '0', active: true, ...STAMPS, assertions }
}

function benchService(domain: string, service: number): Service {
  return {
    name: `service${service}`,
    description: 'A service of the benchmark',
    ...STAMPS,
    publicKeys: new Map([['0', keyText(`${domain}.service${service}`)]]),
    hosts: new Set([`host${service}.${domain}.example.com`]),
  }
}

/** Fills a store with the domains of a data set, each in a transaction of its own. */
export async function fillStore(store: Store, size: DataSize = STANDARD_SIZE): Promise<void> {
  let next = 0
  const writer = async () => {
    for (let index = next++; index < size.domains; index = next++) {
      const value = benchDomain(index, size)
      await store.transact([value.name], (transaction) =>
        transaction.apply({ kind: 'createDomain', domain: value.name, value }),
      )
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, writer))
}

const byName = <T extends { name: string }>(objects: readonly T[]) =>
  new Map(objects.map((object) => [object.name, object]))

/** The same id for the same text. */
export const uuidOf = (text: string): string =>
  createHash('sha256')
    .update(text)
    .digest('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5')

/** A text of the length of an encoded RSA 2048 public key; nobody verifies with it. */
const keyText = (seed: string) =>
  Array.from({ length: 14 }, (_, index) => createHash('sha256').update(`${seed}${index}`).digest('base64url')).join('')
