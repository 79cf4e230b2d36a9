import type { RequestContext } from '#core/http/endpoint.ts'
import { roleResourceName } from '#core/names/resource-name.ts'
import { ASSUME_ROLE } from '#core/rbac/compiled-policies.ts'
import type { Assertion, Domain, RoleBase } from '../store/model.ts'
import type { Transaction } from '../store/store.ts'
import { putAssertions } from './assertion-write.ts'
import { needsApproval, roleKind } from './collection.ts'
import { memberCollection, requireSamePendingState } from './collection-write.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { MemberChanges } from './member-changes.ts'
import { memberDays } from './member-dates.ts'
import {
  isDirectlyBelow,
  type Provider,
  providerName,
  providerPrefix,
  tenancyName,
  tenantPrefix,
} from './tenancy-names.ts'

/** The tenant's side of a tenancy: roles and policies that let their members assume the roles of the provider. */

const ADMIN = 'admin'

/**
 * Lets the administrators of a tenant, and a role of its own for that, assume the administrators' role at the provider.
 * What is there already stays as it is. The transaction holds the domain of the tenant.
 */
export function putTenantAdmin(transaction: Transaction, domain: Domain, provider: Provider): void {
  const name = `${tenancyName(providerName(provider))}.${ADMIN}`
  if (!domain.roles.has(name)) {
    transaction.apply({ kind: 'putRole', domain: domain.name, value: { name, modified: 0, created: 0 } })
  }
  if (domain.policies.has(name)) return
  const assumed = roleResourceName(provider.domain, tenantPrefix(provider.service, domain.name) + ADMIN)
  const tenancy = `${domain.name}:${tenancyName(providerName(provider))}`
  const assertions: Assertion[] = [
    { role: ADMIN, resource: assumed, action: ASSUME_ROLE, effect: 'ALLOW' },
    { role: name, resource: assumed, action: ASSUME_ROLE, effect: 'ALLOW' },
    { role: name, resource: tenancy, action: 'update', effect: 'ALLOW' },
  ]
  putAssertions(transaction, domain, name, assertions, { others: 'keep' })
}

/** Roles in a tenant for a resource group of a provider. */
export interface TenantSide {
  readonly provider: Provider
  readonly resourceGroup: string
  /** Local names at the provider. */
  readonly roles: readonly string[]
  /** Member to be of each role: the caller, unless that is not wanted. */
  readonly member: string | undefined
  readonly auditRef: string | undefined
}

/** Makes roles in a tenant whose members may assume those of a resource group at the provider. */
export async function putTenantSide(
  deps: ZmsDependencies,
  context: RequestContext,
  transaction: Transaction,
  domain: Domain,
  { provider, resourceGroup, roles, member, auditRef }: TenantSide,
): Promise<void> {
  const assumedPrefix = tenantPrefix(provider.service, domain.name, resourceGroup)
  for (const role of new Set(roles)) {
    const name = providerPrefix(provider, resourceGroup) + role
    if (!domain.roles.has(name)) {
      transaction.apply({ kind: 'putRole', domain: domain.name, value: { name, modified: 0, created: 0 } })
    }
    if (member !== undefined) await addMember(deps, context, transaction, domain, name, member, auditRef)
    const resource = roleResourceName(provider.domain, assumedPrefix + role)
    const assertion: Assertion = { role: name, resource, action: ASSUME_ROLE, effect: 'ALLOW' }
    putAssertions(transaction, domain, tenancyName(name), [assertion], { others: 'keep' })
  }
}

/** Adds a member to a role that may be there already; where changes need approval, asks for it. */
async function addMember(
  deps: ZmsDependencies,
  context: RequestContext,
  transaction: Transaction,
  domain: Domain,
  roleName: string,
  name: string,
  auditRef: string | undefined,
): Promise<void> {
  const existing = domain.roles.get(roleName)
  const role: RoleBase = existing ?? { name: roleName, modified: 0, created: 0 }
  if (existing?.members.has(name)) return
  await deps.memberRules.check(transaction, memberCollection(deps, roleKind, domain, role), name)
  const type = deps.memberRules.typeOf(name)
  const expiration = existing?.userAuthorityExpiration
  const dates = await deps.memberDates.dates({ name, type }, {}, memberDays(role, domain), transaction.now, expiration)
  const principal = context.principal?.fullName ?? ''
  const changes = new MemberChanges(roleKind, domain.name, roleName, { principal, auditRef, now: transaction.now })
  if (existing && needsApproval(existing)) {
    requireSamePendingState(existing, name, 'ADD')
    transaction.apply(...changes.request(name, dates, 'ADD'))
  } else {
    transaction.apply(...changes.put(name, dates, 'ADD', principal))
  }
}

/**
 * Takes the policies out of a tenant by which it uses a provider, or one of its resource groups, and then the roles for
 * it that no other policy names.
 */
export function removeTenantSide(
  transaction: Transaction,
  domain: Domain,
  provider: Provider,
  resourceGroup?: string,
): void {
  const prefix = providerPrefix(provider, resourceGroup)
  const policyPrefix = tenancyName(prefix)
  const named = new Set<string>()
  for (const [policy, versions] of domain.policies) {
    if (isDirectlyBelow(policy, policyPrefix)) {
      transaction.apply({ kind: 'deletePolicy', domain: domain.name, policy })
      continue
    }
    for (const { assertions } of versions.values()) for (const { role } of assertions.values()) named.add(role)
  }
  for (const role of domain.roles.keys()) {
    if (!isDirectlyBelow(role, prefix) || named.has(role)) continue
    transaction.apply({ kind: 'deleteRole', domain: domain.name, role })
  }
}

/** Local names, at the provider, of the roles that a tenant has for a resource group. */
export function tenantRolesOf({ roles }: Domain, provider: Provider, resourceGroup: string): string[] {
  const prefix = providerPrefix(provider, resourceGroup)
  return [...roles.keys()].filter((name) => isDirectlyBelow(name, prefix)).map((name) => name.slice(prefix.length))
}
