import type { NaiveDomain } from '../../core/rbac/naive-model.ts'
import type { CollectionSettings, Conditions, Kind } from './requests.ts'

/** A membership that counts, unless it is expired or disabled. */
export interface Member {
  memberName: string
  expiration?: number
  requestPrincipal?: string
  systemDisabled?: number
}

/** A request that awaits a decision. */
export interface Pending {
  memberName: string
  expiration?: number
  requestPrincipal: string
  pendingState: 'ADD' | 'DELETE'
}

/** A role or group. */
export interface Collection {
  kind: Kind
  name: string
  settings: CollectionSettings
  members: Member[]
  pending: Pending[]
}

/** An assertion, with its role by local name. */
export interface Assertion {
  role: string
  action: string
  resource: string
  effect: 'ALLOW' | 'DENY'
  conditions?: Conditions
}

/** A version of a policy. */
export interface Policy {
  name: string
  version: string
  active: boolean
  assertions: Assertion[]
}

/** A domain: everything in lists. */
export interface Domain {
  name: string
  enabled: boolean
  collections: Collection[]
  policies: Policy[]
}

/** The member without what is undefined. */
export function clean({
  memberName,
  expiration,
  requestPrincipal,
  systemDisabled,
}: {
  memberName: string
  expiration?: number | undefined
  requestPrincipal?: string | undefined
  systemDisabled?: number | undefined
}): Member {
  return {
    memberName,
    ...(expiration !== undefined && { expiration }),
    ...(requestPrincipal !== undefined && { requestPrincipal }),
    ...(systemDisabled && { systemDisabled }),
  }
}

/** Adds to a list, or replaces what has that name. */
export function put<T extends { memberName: string }>(list: T[], item: T): void {
  const index = list.findIndex(({ memberName }) => memberName === item.memberName)
  if (index < 0) list.push(item)
  else list[index] = item
}

/** Takes out of a list what has that name, if anything has. */
export function remove(list: { memberName: string }[], memberName: string): void {
  const index = list.findIndex((item) => item.memberName === memberName)
  if (index >= 0) list.splice(index, 1)
}

/** A domain as it is when it is made. */
export function newDomain(name: string, admins: readonly string[], requestPrincipal: string): Domain {
  const members = admins.map((memberName) => ({ memberName, requestPrincipal }))
  const assertion: Assertion = { role: 'admin', action: '*', resource: `${name}:*`, effect: 'ALLOW' }
  return {
    name,
    enabled: true,
    collections: [{ kind: 'role', name: 'admin', settings: {}, members, pending: [] }],
    policies: [{ name: 'admin', version: '0', active: true, assertions: [assertion] }],
  }
}

/** The domain as the model of decisions has it. */
export function naiveDomain({ name, collections, policies }: Domain): NaiveDomain {
  const roles = collections.filter(({ kind }) => kind === 'role')
  const groups = collections.filter(({ kind }) => kind === 'group')
  const full = ({ role, ...rest }: Assertion) => ({ ...rest, role: `${name}:role.${role}` })
  return {
    name,
    roles: Object.fromEntries(
      roles.map((role) => [
        role.name,
        { members: role.members, ...(role.settings.trust && { trust: role.settings.trust }) },
      ]),
    ),
    groups: Object.fromEntries(groups.map((group) => [group.name, group.members])),
    policies: policies.filter(({ active }) => active).map(({ assertions }) => assertions.map(full)),
  }
}
