import { randomUUID } from 'node:crypto'
import { Members } from '#core/rbac/members.ts'
import type { DomainChange } from '../store/change.ts'
import { emptyDomain } from '../store/empty-domain.ts'
import type { Domain, Policy, Role, RoleMember } from '../store/model.ts'
import { wholeSeconds } from './member-dates.ts'

/** Members, names and texts that a new domain begins with. */
export interface NewDomain {
  name: string
  /** Full names of the administrators; duplicates count once. */
  admins: readonly string[]
  /** Who makes it, recorded with each membership. */
  requestPrincipal: string
  auditRef?: string | undefined
  settings?: Partial<Domain>
}

/**
 * A domain with the role `admin` (all administrators) and the policy `admin` (everything in the domain allowed to that
 * role). Times are filled in by the store.
 */
export function newDomain({ name, admins, requestPrincipal, auditRef, settings }: NewDomain): Domain {
  const stamps = { modified: 0, created: 0 }
  const member = (memberName: string): RoleMember => ({ memberName, requestPrincipal, ...(auditRef && { auditRef }) })
  const role: Role = { name: 'admin', ...stamps, members: new Members(admins.map(member)), pending: new Map() }
  const policy: Policy = {
    name: 'admin',
    version: '0',
    active: true,
    ...stamps,
    assertions: new Map([[-1, { role: 'admin', resource: `${name}:*`, action: '*', effect: 'ALLOW' }]]),
  }
  const base = {
    name,
    id: randomUUID(),
    enabled: true,
    auditEnabled: false,
    ypmId: 0,
    autoDeleteTenantAssumeRoleAssertions: false,
    clientIdSelfUpdate: false,
    ...stamps,
    ...settings,
  }
  return {
    ...emptyDomain(base),
    roles: new Map([['admin', role]]),
    policies: new Map([['admin', new Map([['0', policy]])]]),
  }
}

/** The changes that make a new domain: the domain itself, and the history of its administrators. */
export function domainCreation(options: NewDomain, now: number): DomainChange[] {
  const value = newDomain(options)
  const { name, requestPrincipal, auditRef } = options
  const entry = {
    admin: requestPrincipal,
    created: wholeSeconds(now),
    action: 'ADD' as const,
    ...(auditRef && { auditRef }),
  }
  return [
    { kind: 'createDomain', domain: name, value },
    ...[...(value.roles.get('admin')?.members ?? [])].map(
      ({ memberName }): DomainChange => ({
        kind: 'addRoleAudit',
        domain: name,
        role: 'admin',
        value: { ...entry, member: memberName },
      }),
    ),
  ]
}
