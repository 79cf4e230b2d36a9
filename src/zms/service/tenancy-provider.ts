import { notFound } from '#core/error/service-error.ts'
import type { RequestContext } from '#core/http/endpoint.ts'
import { roleResourceName } from '#core/names/resource-name.ts'
import type { Domain, Role } from '../store/model.ts'
import type { Transaction } from '../store/store.ts'
import { requestedAssertion } from './assertion-rules.ts'
import { putAssertions } from './assertion-write.ts'
import { baseOf, roleKind } from './collection.ts'
import { MemberChanges } from './member-changes.ts'
import { activeVersion } from './stored-policy.ts'
import { isDirectlyBelow, type Provider, resourceGroupsPrefix, tenantPrefix } from './tenancy-names.ts'

/** The provider's side of a tenancy: roles delegated to the tenant, and policies of the same names. */

/** A role for a tenant and what it may do. */
export interface RoleAction {
  readonly role: string
  readonly action: string
}

/** What a provider is to give a tenant. */
export interface ProviderSide {
  readonly provider: Provider
  readonly tenant: string
  readonly resourceGroup?: string | undefined
  /** Roles of the resource group. */
  readonly roles: readonly RoleAction[]
  readonly auditRef: string | undefined
}

const ADMIN = 'admin'

/**
 * Delegates roles to a tenant, one of them to its administrators, each with a policy that allows its action on what
 * belongs to the tenant or the resource group. Policies of roles that are there already are overwritten, except that of
 * the administrators, which keeps what it has. The transaction holds the provider's domain; 404 when there is no tenant.
 */
export async function putProviderSide(
  context: RequestContext,
  transaction: Transaction,
  domain: Domain,
  { provider, tenant, resourceGroup, roles, auditRef }: ProviderSide,
): Promise<void> {
  if (!(await transaction.domain(tenant))) throw notFound(`${context.api}: Unknown tenant domain: ${tenant}`)
  const put = (name: string, resource: string, action: string, others: 'keep' | 'remove') => {
    delegate(context, transaction, domain, name, tenant, auditRef)
    const role = roleResourceName(domain.name, name)
    const input = { role, resource: `${domain.name}:service.${resource}*`, action }
    putAssertions(transaction, domain, name, [requestedAssertion(domain.name, input, false)], { others })
  }
  const { service } = provider
  // For the administrators a resource group stands for all of them.
  const all = resourceGroup === undefined ? tenantPrefix(service, tenant) : resourceGroupsPrefix(service, tenant)
  put(tenantPrefix(service, tenant) + ADMIN, all, '*', 'keep')
  const prefix = tenantPrefix(service, tenant, resourceGroup)
  // Of several actions for one role the last one counts.
  const actions = new Map(roles.map(({ role, action }) => [role, action]))
  for (const [role, action] of actions) put(prefix + role, prefix, action, 'remove')
}

/** Makes a role a delegated one. Members it may have had as an ordinary role are removed, they would not count. */
function delegate(
  context: RequestContext,
  transaction: Transaction,
  domain: Domain,
  name: string,
  trust: string,
  auditRef: string | undefined,
): void {
  const existing = domain.roles.get(name)
  if (existing?.trust === trust) return
  const principal = context.principal?.fullName ?? ''
  const changes = new MemberChanges(roleKind, domain.name, name, { principal, auditRef, now: transaction.now })
  for (const { memberName } of existing?.members ?? []) transaction.apply(...changes.remove(memberName))
  const base = existing ? baseOf(existing) : { name, modified: 0, created: 0 }
  transaction.apply({ kind: 'putRole', domain: domain.name, value: { ...base, trust } })
}

/** Roles that a provider has delegated to the tenant for one of its resource groups. */
function groupRoles({ roles }: Domain, service: string, tenant: string, resourceGroup: string): Role[] {
  const prefix = tenantPrefix(service, tenant, resourceGroup)
  return [...roles.values()].filter(({ name, trust }) => trust === tenant && isDirectlyBelow(name, prefix))
}

/**
 * Roles that a provider has delegated to the tenant itself. Those for resource groups are not among them. A name with
 * one part more may be that of a tenant below this one, if there is such a domain.
 */
async function ownRoles(transaction: Transaction, { roles }: Domain, service: string, tenant: string): Promise<Role[]> {
  const prefix = tenantPrefix(service, tenant)
  const found: Role[] = []
  for (const role of roles.values()) {
    if (role.trust !== tenant || !role.name.startsWith(prefix)) continue
    const [first, ...more] = role.name.slice(prefix.length).split('.')
    if (more.length > 1) continue
    if (more.length === 1 && (await transaction.queries.domain(`${tenant}.${first}`))) continue
    found.push(role)
  }
  return found
}

/** Local names of the roles that a provider has delegated to the tenant for all its resource groups. */
export function resourceGroupRolesOf({ roles }: Domain, service: string, tenant: string): string[] {
  const prefix = resourceGroupsPrefix(service, tenant)
  return [...roles.values()]
    .filter(({ name, trust }) => trust === tenant && name.startsWith(prefix))
    .map(({ name }) => name)
}

/** Takes the tenant's own roles, or those of one of its resource groups, from it, with their policies. */
export async function removeProviderSide(
  transaction: Transaction,
  domain: Domain,
  { service }: Provider,
  tenant: string,
  resourceGroup?: string,
): Promise<void> {
  const roles =
    resourceGroup === undefined
      ? await ownRoles(transaction, domain, service, tenant)
      : groupRoles(domain, service, tenant, resourceGroup)
  for (const { name } of roles) {
    if (domain.policies.has(name)) transaction.apply({ kind: 'deletePolicy', domain: domain.name, policy: name })
    transaction.apply({ kind: 'deleteRole', domain: domain.name, role: name })
  }
}

/** The roles that a tenant has for a resource group, with what their policies let them do; without a policy nothing. */
export function roleActionsOf(domain: Domain, service: string, tenant: string, resourceGroup: string): RoleAction[] {
  const prefix = tenantPrefix(service, tenant, resourceGroup)
  return groupRoles(domain, service, tenant, resourceGroup).map(({ name }) => {
    const assertions = activeVersion(domain.policies.get(name))?.assertions.values() ?? []
    const own = [...assertions].find(({ role }) => role === name)
    return { role: name.slice(prefix.length), action: own?.action ?? '' }
  })
}
