import { Members } from '#core/rbac/members.ts'
import type { DomainChange, MutableDomain, MutableGroup, MutablePolicy, MutableRole, MutableService } from './change.ts'
import type { DomainBase, GroupMember, RoleMember } from './model.ts'
import { SmallMap } from './small-map.ts'

/**
 * Applies one change to the domain it names, in place, and stamps the touched object and the domain with `at` (epoch
 * milliseconds). Synchronous and total: a change of something that is not there does nothing but stamp. Assertion ids
 * must be set. `createDomain` and `deleteDomain` are the store's business.
 */
export function applyChange(domain: MutableDomain, change: DomainChange, at: number): void {
  domain.modified = at
  switch (change.kind) {
    case 'createDomain':
    case 'deleteDomain':
    case 'touchDomain':
      return
    case 'putDomain':
      replaceBase(domain, change.value, at)
      return
    case 'putRole': {
      const old = domain.roles.get(change.value.name)
      domain.roles.set(change.value.name, {
        ...change.value,
        ...stamps(old, at),
        ...rowIdOf(old),
        members: old?.members ?? new Members<RoleMember>(),
        pending: old?.pending ?? new SmallMap(),
      })
      return
    }
    case 'deleteRole':
      domain.roles.delete(change.role)
      return
    case 'putRoleMember':
      touchRole(domain, change.role, at)?.members.set(change.value)
      return
    case 'deleteRoleMember':
      touchRole(domain, change.role, at)?.members.delete(change.member)
      return
    case 'putPendingRoleMember':
      touchRole(domain, change.role, at)?.pending.set(change.value.memberName, change.value)
      return
    case 'deletePendingRoleMember':
      touchRole(domain, change.role, at)?.pending.delete(change.member)
      return
    case 'addRoleAudit':
    case 'addGroupAudit':
      return
    case 'putGroup': {
      const old = domain.groups.get(change.value.name)
      domain.groups.set(change.value.name, {
        ...change.value,
        ...stamps(old, at),
        ...rowIdOf(old),
        members: old?.members ?? new Members<GroupMember>(),
        pending: old?.pending ?? new SmallMap(),
      })
      return
    }
    case 'deleteGroup':
      domain.groups.delete(change.group)
      return
    case 'putGroupMember':
      touchGroup(domain, change.group, at)?.members.set(change.value)
      return
    case 'deleteGroupMember':
      touchGroup(domain, change.group, at)?.members.delete(change.member)
      return
    case 'putPendingGroupMember':
      touchGroup(domain, change.group, at)?.pending.set(change.value.memberName, change.value)
      return
    case 'deletePendingGroupMember':
      touchGroup(domain, change.group, at)?.pending.delete(change.member)
      return
    case 'putPolicy': {
      const versions = domain.policies.get(change.value.name) ?? new SmallMap<string, MutablePolicy>()
      const old = versions.get(change.value.version)
      if (change.value.active) for (const other of versions.values()) other.active = false
      versions.set(change.value.version, {
        ...change.value,
        ...stamps(old, at),
        ...rowIdOf(old),
        assertions: old?.assertions ?? new SmallMap(),
      })
      domain.policies.set(change.value.name, versions)
      domain.policiesRevision++
      return
    }
    case 'deletePolicy': {
      const versions = domain.policies.get(change.policy)
      if (change.version === undefined) domain.policies.delete(change.policy)
      else if (versions?.delete(change.version) && versions.size === 0) domain.policies.delete(change.policy)
      domain.policiesRevision++
      return
    }
    case 'putAssertion': {
      const { id } = change.value
      if (id === undefined) throw new Error('an assertion needs its id before it is applied')
      const policy = touchPolicy(domain, change.policy, change.version, at)
      const conditions = change.value.conditions ?? policy?.assertions.get(id)?.conditions
      policy?.assertions.set(id, conditions?.size ? { ...change.value, conditions } : change.value)
      return
    }
    case 'deleteAssertion':
      touchPolicy(domain, change.policy, change.version, at)?.assertions.delete(change.id)
      return
    case 'putConditions': {
      const policy = touchPolicy(domain, change.policy, change.version, at)
      const assertion = policy?.assertions.get(change.id)
      if (!policy || !assertion) return
      const { conditions: _, ...bare } = assertion
      policy.assertions.set(change.id, change.value.size > 0 ? { ...bare, conditions: change.value } : bare)
      return
    }
    case 'putService': {
      const old = domain.services.get(change.value.name)
      domain.services.set(change.value.name, {
        ...change.value,
        ...stamps(old, at),
        ...rowIdOf(old),
        publicKeys: old?.publicKeys ?? new SmallMap(),
        hosts: old?.hosts ?? new Set(),
      })
      return
    }
    case 'deleteService':
      domain.services.delete(change.service)
      return
    case 'putPublicKey':
      touchService(domain, change.service, at)?.publicKeys.set(change.keyId, change.key)
      return
    case 'deletePublicKey':
      touchService(domain, change.service, at)?.publicKeys.delete(change.keyId)
      return
    case 'putHosts': {
      const service = touchService(domain, change.service, at)
      if (service) service.hosts = change.hosts
      return
    }
    case 'putEntity':
      domain.entities.set(change.value.name, {
        ...change.value,
        ...stamps(domain.entities.get(change.value.name), at),
      })
      return
    case 'deleteEntity':
      domain.entities.delete(change.entity)
      return
    case 'putTemplate':
      domain.templates.set(change.template, change.version)
      return
    case 'deleteTemplate':
      domain.templates.delete(change.template)
      return
    case 'putQuota':
      domain.quota = { ...change.value, modified: at }
      return
    case 'deleteQuota':
      domain.quota = undefined
      return
  }
}

const stamps = (old: { created: number } | undefined, at: number) => ({ modified: at, created: old?.created ?? at })
const rowIdOf = (old: { rowId?: number } | undefined) => (old?.rowId === undefined ? {} : { rowId: old.rowId })

/** Names of what a domain holds; everything else belongs to its settings. */
const HOLDINGS: ReadonlySet<string> = new Set([
  'roles',
  'groups',
  'policies',
  'services',
  'entities',
  'templates',
  'quota',
  'policiesRevision',
])

function replaceBase(domain: MutableDomain, value: DomainBase, at: number): void {
  const { created, rowId } = domain
  const members = domain as unknown as Record<string, unknown>
  // Set to undefined, not deleted: a deletion would make every later access to the domain slow.
  for (const key of Object.keys(domain)) if (!HOLDINGS.has(key)) members[key] = undefined
  for (const [key, item] of Object.entries(value)) {
    if (!HOLDINGS.has(key)) members[key] = item
  }
  Object.assign(domain, { modified: at, created }, rowId === undefined ? {} : { rowId })
}

function touchRole(domain: MutableDomain, name: string, at: number): MutableRole | undefined {
  const role = domain.roles.get(name)
  if (role) role.modified = at
  return role
}

function touchGroup(domain: MutableDomain, name: string, at: number): MutableGroup | undefined {
  const group = domain.groups.get(name)
  if (group) group.modified = at
  return group
}

function touchPolicy(domain: MutableDomain, name: string, version: string, at: number): MutablePolicy | undefined {
  domain.policiesRevision++
  const policy = domain.policies.get(name)?.get(version)
  if (policy) policy.modified = at
  return policy
}

function touchService(domain: MutableDomain, name: string, at: number): MutableService | undefined {
  const service = domain.services.get(name)
  if (service) service.modified = at
  return service
}
