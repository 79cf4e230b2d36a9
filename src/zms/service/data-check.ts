import { serviceFullName, splitResourceName } from '#core/names/resource-name.ts'
import { ASSUME_ROLE } from '#core/rbac/compiled-policies.ts'
import type { Assertion, Domain, Policy } from '../store/model.ts'
import type { Store } from '../store/store.ts'
import { activePolicies } from './domain-views.ts'
import { filled } from './role-reply.ts'
import { compact } from './wire-form.ts'

/**
 * Looks for what does not fit together in a domain, as `getDomainDataCheck` writes it: roles that no assertion names,
 * assertions about roles that do not exist (patterns of roles are taken for names), and tenancies of which only one side
 * is there. Assertions of inactive versions are not looked at, though their policies are counted.
 */
export async function checkDomain(store: Store, domain: Domain): Promise<Record<string, unknown>> {
  const rules = [...activePolicies(domain)].flatMap((policy) =>
    [...policy.assertions.values()].map((assertion) => ({ policy, assertion })),
  )
  return compact({
    danglingRoles: filled(danglingRoles(domain, rules)),
    danglingPolicies: filled(danglingPolicies(domain, rules)),
    policyCount: [...domain.policies.values()].reduce((count, versions) => count + versions.size, 0),
    assertionCount: rules.length,
    // Meant for assertions about all roles; the original never counts any, since roles are named with their domain.
    roleWildCardCount: 0,
    providersWithoutTrust: filled(await providersWithoutTrust(store, domain, rules)),
    tenantsWithoutAssumeRole: filled(await tenantsWithoutAssumeRole(store, domain)),
  })
}

/** An assertion in force. */
interface Rule {
  readonly policy: Policy
  readonly assertion: Assertion
}

/** An `assume_role` assertion uses its role only when it belongs to a tenancy. */
function danglingRoles(domain: Domain, rules: readonly Rule[]): string[] {
  const used = new Set(
    rules
      .filter(({ assertion }) => !isDelegation(assertion) || tenancyOf(domain.name, assertion) !== undefined)
      .map(({ assertion }) => assertion.role),
  )
  return [...domain.roles.keys()].filter((role) => !used.has(role))
}

function danglingPolicies(domain: Domain, rules: readonly Rule[]): { policyName: string; roleName: string }[] {
  const found = new Map<string, { policyName: string; roleName: string }>()
  for (const { policy, assertion } of rules) {
    if (domain.roles.has(assertion.role)) continue
    found.set(`${policy.name} ${assertion.role}`, { policyName: policy.name, roleName: assertion.role })
  }
  return [...found.values()]
}

/** Services whose roles the domain assumes as their tenant, though none of these roles is delegated to it. */
async function providersWithoutTrust(store: Store, domain: Domain, rules: readonly Rule[]): Promise<string[]> {
  const tenancies = rules.flatMap(({ assertion }) => tenancyOf(domain.name, assertion) ?? [])
  const providers = await store.domains([...new Set(tenancies.map((tenancy) => tenancy.domain))])
  const without = new Set<string>()
  for (const tenancy of tenancies) {
    const roles = providers.get(tenancy.domain)?.roles.values() ?? []
    const trusting = [...roles].some(({ name, trust }) => trust === domain.name && name.startsWith(tenancy.rolePrefix))
    if (!trusting) without.add(serviceFullName(tenancy.domain, tenancy.service))
  }
  return [...without]
}

/** Domains to which a role is delegated that assume no role as tenants of this domain. */
async function tenantsWithoutAssumeRole(store: Store, domain: Domain): Promise<string[]> {
  const trusted = new Set([...domain.roles.values()].flatMap(({ trust }) => trust ?? []))
  const tenants = await store.domains([...trusted])
  return [...trusted].filter((name) => {
    const tenant = tenants.get(name)
    if (!tenant) return true
    for (const { assertions } of activePolicies(tenant)) {
      for (const assertion of assertions.values()) {
        if (tenancyOf(name, assertion)?.domain === domain.name) return false
      }
    }
    return true
  })
}

const isDelegation = ({ action }: Assertion): boolean => action.toLowerCase() === ASSUME_ROLE

/** The side of a provider that an assertion of a tenant is about. */
interface Tenancy {
  readonly domain: string
  /** Local name. */
  readonly service: string
  /** Local names of the roles of this service for this tenant begin with it. */
  readonly rolePrefix: string
}

/** The tenancy that an assertion of the tenant belongs to: it assumes a role `{service}.tenant.{tenant}.…`. */
function tenancyOf(tenant: string, assertion: Assertion): Tenancy | undefined {
  if (!isDelegation(assertion)) return undefined
  const role = splitResourceName('role', assertion.resource)
  const infix = `.tenant.${tenant}.`
  const at = role?.name.indexOf(infix) ?? -1
  if (!role || at <= 0) return undefined
  return { domain: role.domain, service: role.name.slice(0, at), rolePrefix: role.name.slice(0, at + infix.length) }
}
