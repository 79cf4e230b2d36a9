import { AuthorizedServices } from '#zms/service/authorized-services.ts'
import type { DomainChange } from '#zms/store/change.ts'
import type {
  Assertion,
  GroupBase,
  GroupMember,
  PolicyBase,
  Quota,
  RoleBase,
  RoleMember,
  ServiceBase,
} from '#zms/store/model.ts'
import type { Harness } from './harness.ts'

const stamps = { modified: 0, created: 0 }

const membersOf = <M extends GroupMember>(members: readonly (string | M)[]): M[] =>
  members.map((member) => (typeof member === 'string' ? ({ memberName: member } as M) : member))

/** Changes that make a role with its members, given by name or in full. */
export const role = (
  domain: string,
  name: string,
  members: readonly (string | RoleMember)[] = [],
  settings: Partial<RoleBase> = {},
): DomainChange[] => [
  { kind: 'putRole', domain, value: { name, ...stamps, ...settings } },
  ...membersOf<RoleMember>(members).map(
    (value): DomainChange => ({ kind: 'putRoleMember', domain, role: name, value }),
  ),
]

/** Changes that make a group with its members. */
export const group = (
  domain: string,
  name: string,
  members: readonly (string | GroupMember)[] = [],
  settings: Partial<GroupBase> = {},
): DomainChange[] => [
  { kind: 'putGroup', domain, value: { name, ...stamps, ...settings } },
  ...membersOf<GroupMember>(members).map(
    (value): DomainChange => ({ kind: 'putGroupMember', domain, group: name, value }),
  ),
]

/** Changes that make a policy version, by default the active version `0`; assertions allow unless they say otherwise. */
export function policy(
  domain: string,
  name: string,
  assertions: readonly (Omit<Assertion, 'effect'> & { effect?: Assertion['effect'] })[],
  settings: Partial<PolicyBase> = {},
): DomainChange[] {
  const value = { name, version: '0', active: true, ...stamps, ...settings }
  const { version } = value
  return [
    { kind: 'putPolicy', domain, value },
    ...assertions.map(
      (assertion): DomainChange => ({
        kind: 'putAssertion',
        domain,
        policy: name,
        version,
        value: { effect: 'ALLOW', ...assertion },
      }),
    ),
  ]
}

/** Changes that make a service with its public keys. */
export const service = (
  domain: string,
  name: string,
  publicKeys: Readonly<Record<string, string>> = {},
  settings: Partial<ServiceBase> = {},
): DomainChange[] => [
  { kind: 'putService', domain, value: { name, ...stamps, ...settings } },
  ...Object.entries(publicKeys).map(
    ([keyId, key]): DomainChange => ({ kind: 'putPublicKey', domain, service: name, keyId, key }),
  ),
]

/** A quota of nine of everything, except for these. */
export const quotaOf = (limits: Partial<Quota>): Quota => ({
  subdomain: 9,
  role: 9,
  roleMember: 9,
  policy: 9,
  assertion: 9,
  entity: 9,
  service: 9,
  serviceHost: 9,
  publicKey: 9,
  group: 9,
  groupMember: 9,
  modified: 0,
  ...limits,
})

/** The file of authorized services that has one, which may do one operation. */
export const authorizing = (authorizedService: string, operation: string) =>
  AuthorizedServices.parse(
    JSON.stringify({ services: { [authorizedService]: { allowedOperations: [{ name: operation }] } } }),
  )

/** Commits changes, without asking a service. */
export async function commit({ store }: Harness, ...changes: readonly (DomainChange | readonly DomainChange[])[]) {
  const all: DomainChange[] = changes.flat()
  const domains = [...new Set(all.map((change) => change.domain))]
  await store.transact(domains, (transaction) => transaction.apply(...all))
}
