import { roleResourceName } from '#core/names/resource-name.ts'
import { ASSUME_ROLE } from '#core/rbac/compiled-policies.ts'
import type { Assertion, Domain, Policy } from '../store/model.ts'
import type { Store } from '../store/store.ts'
import { activePolicies } from './domain-views.ts'
import { filled } from './role-reply.ts'
import { compact } from './wire-form.ts'

/**
 * Looks for what does not fit together in a domain, as `getDomainDataCheck` writes it: roles that no assertion names,
 * assertions about roles that do not exist (patterns of roles are taken for names), and tenancies of which one side is
 * not there in full. Assertions of inactive versions are not looked at, though their policies are counted.
 */
export async function checkDomain(store: Store, domain: Domain): Promise<Record<string, unknown>> {
  const rules = [...activePolicies(domain)].flatMap((policy) =>
    [...policy.assertions.values()].map((assertion) => ({ policy, assertion })),
  )
  // To assume a role is of account as a part of a tenancy only.
  const counting = rules.filter(
    ({ policy, assertion }) => !isDelegation(assertion) || providerOf(policy.name) !== undefined,
  )
  return compact({
    danglingRoles: filled(danglingRoles(domain, counting)),
    danglingPolicies: filled(danglingPolicies(domain, counting)),
    policyCount: [...domain.policies.values()].reduce((count, versions) => count + versions.size, 0),
    assertionCount: rules.length,
    // Meant for assertions about all roles; the original never counts any, since roles are named with their domain.
    roleWildCardCount: 0,
    providersWithoutTrust: filled(await providersWithoutTrust(store, domain, counting)),
    tenantsWithoutAssumeRole: filled(await tenantsWithoutAssumeRole(store, domain)),
  })
}

/** An assertion in force. */
interface Rule {
  readonly policy: Policy
  readonly assertion: Assertion
}

function danglingRoles(domain: Domain, rules: readonly Rule[]): string[] {
  const used = new Set(rules.map(({ assertion }) => assertion.role))
  return [...domain.roles.keys()].filter((role) => !used.has(role))
}

/** One entry for each assertion. */
function danglingPolicies(domain: Domain, rules: readonly Rule[]): { policyName: string; roleName: string }[] {
  return rules
    .filter(({ assertion }) => !domain.roles.has(assertion.role))
    .map(({ policy, assertion }) => ({ policyName: policy.name, roleName: assertion.role }))
}

/**
 * What the domain is a tenant of (a provider service, or a resource group of one) without that all the roles which it
 * assumes there are delegated to it.
 */
async function providersWithoutTrust(store: Store, domain: Domain, rules: readonly Rule[]): Promise<string[]> {
  const assumed = new Map<string, Set<string>>()
  for (const { policy, assertion } of rules) {
    const provider = isDelegation(assertion) ? providerOf(policy.name) : undefined
    if (provider === undefined) continue
    const roles = assumed.get(provider) ?? new Set()
    assumed.set(provider, roles.add(assertion.resource))
  }
  const providers = await store.domains([...new Set([...assumed.keys()].map(domainOfProvider))])
  return [...assumed].flatMap(([provider, roles]) => {
    const owner = providers.get(domainOfProvider(provider))
    const trusting = owner ? rolesTrusting(owner, domain.name) : []
    return trusting.filter((role) => roles.has(role)).length === roles.size ? [] : [provider]
  })
}

/** Domains to which roles are delegated that do not assume as many of them as there are. */
async function tenantsWithoutAssumeRole(store: Store, domain: Domain): Promise<string[]> {
  const trusted = new Set([...domain.roles.values()].flatMap(({ trust }) => trust ?? []))
  const tenants = await store.domains([...trusted])
  const own = new Set([...domain.roles.keys()].map((role): string => roleResourceName(domain.name, role)))
  return [...trusted].filter((name) => {
    const tenant = tenants.get(name)
    if (!tenant) return true
    let assumed = 0
    for (const { assertions } of activePolicies(tenant)) {
      for (const assertion of assertions.values()) {
        if (isDelegation(assertion) && own.has(assertion.resource)) assumed += 1
      }
    }
    return assumed < rolesTrusting(domain, name).length
  })
}

const isDelegation = ({ action }: Assertion): boolean => action.toLowerCase() === ASSUME_ROLE

/** Full names of the roles of a domain that are delegated to another. */
const rolesTrusting = ({ name: domain, roles }: Domain, tenant: string): string[] =>
  [...roles.values()].filter(({ trust }) => trust === tenant).map(({ name }) => roleResourceName(domain, name))

const TENANCY = 'tenancy.'

/**
 * What a policy of a tenant is about, by its name `tenancy.{provider}.{role}`: the provider service, or the service and
 * its resource group; undefined when the policy belongs to no tenancy.
 */
function providerOf(policy: string): string | undefined {
  const at = policy.indexOf(TENANCY)
  const provider = at < 0 ? '' : policy.slice(at + TENANCY.length, policy.lastIndexOf('.'))
  return provider === '' ? undefined : provider
}

/** Domain of a provider service that may have a resource group behind its name. */
function domainOfProvider(provider: string): string {
  const [service = ''] = provider.split('.res_group.', 1)
  return service.slice(0, Math.max(0, service.lastIndexOf('.')))
}
