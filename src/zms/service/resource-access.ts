import { badRequest, notFound } from '#core/error/service-error.ts'
import { ok, type Reply, type RequestOf } from '#core/http/endpoint.ts'
import { requireName } from '#core/names/require-name.ts'
import { groupResourceName, resourceDomain, splitResourceName } from '#core/names/resource-name.ts'
import { ASSUME_ROLE } from '#core/rbac/compiled-policies.ts'
import { stateOf } from '#core/rbac/holding.ts'
import type { accessEndpoints } from '../api/access.ts'
import type { Assertion, Domain } from '../store/model.ts'
import type { FoundMembership, Store } from '../store/store.ts'
import type { ResourceSpelling } from './cloud-resources.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { activePolicies } from './domain-views.ts'
import { assertionReply } from './policy-reply.ts'

type ListQuery = RequestOf<typeof accessEndpoints.getResourceAccessList>['query']

/**
 * Lists the assertions about the roles of a principal: those it is a member of itself, through a group, or because they
 * are delegated to the domain of such a role. Assertions of inactive policy versions are among them, and roles count by
 * their exact names only, as in the original; delegated ones also where that name is meant in every domain. A suspended
 * principal holds no role. Without an action, those about `assume_role` are left out; with an action that has a spelling,
 * resources are spelled out. 400 without a principal or with a filter that is no name, 404 when nobody knows the
 * principal.
 */
export async function listResourceAccess(
  deps: ZmsDependencies,
  { principal, action, filter }: ListQuery,
): Promise<Reply> {
  if (principal === undefined) throw badRequest('principal is required for resource access list')
  if (filter) requireName('SimpleName', filter)
  const suspended = await deps.store.principal(principal)
  if (suspended === undefined) throw notFound(`unknown principal - ${principal}`)
  const held = suspended === 0 ? await rolesHeld(deps, principal) : []
  const asks = (assertion: Assertion) => {
    const asked = assertion.action.toLowerCase()
    return action === undefined ? asked !== ASSUME_ROLE : asked === action
  }
  const spelling = deps.resourceSpellings.find((each) => each.action === action)
  const assertions = held.flatMap(({ domain, roles }) =>
    [...assertionsOf(domain)]
      .filter((assertion) => roles.has(assertion.role) && asks(assertion))
      .flatMap((assertion) => {
        const reply = assertionReply(domain.name, assertion)
        if (spelling === undefined) return [reply]
        return spelledOut(spelling, domain, assertion, filter).map((resource) => ({ ...reply, resource }))
      }),
  )
  return ok({ resources: [{ principal, assertions }] })
}

/** Roles of one domain that a principal holds, by local name. */
interface RolesOfDomain {
  readonly domain: Domain
  readonly roles: Set<string>
}

async function rolesHeld({ store, now }: ZmsDependencies, principal: string): Promise<RolesOfDomain[]> {
  const time = now()
  const groups = await countingGroups(store, principal, time)
  const memberships = (await Promise.all([principal, ...groups].map((name) => store.rolesOfMember(name)))).flat()
  const domains = await store.domains(domainsOf(memberships))
  const held = new Map<string, RolesOfDomain>()
  const hold = (domain: Domain, role: string) => {
    const known = held.get(domain.name)
    if (known) known.roles.add(role)
    else held.set(domain.name, { domain, roles: new Set([role]) })
  }
  for (const { domain: name, collection, member } of memberships) {
    const domain = domains.get(name)
    const entry = domain?.roles.get(collection)?.members.get(member)
    if (domain && entry && stateOf(entry, time) === 'active') hold(domain, collection)
  }
  for (const { domain, role } of await delegatedRoles(store, [...held.values()])) hold(domain, role)
  return [...held.values()]
}

/** Full names of the groups in which the principal's membership counts. */
async function countingGroups(store: Store, principal: string, time: number): Promise<string[]> {
  const memberships = await store.groupsOfMember(principal)
  const domains = await store.domains(domainsOf(memberships))
  return memberships.flatMap(({ domain, collection, member }) => {
    const entry = domains.get(domain)?.groups.get(collection)?.members.get(member)
    return entry && stateOf(entry, time) === 'active' ? [groupResourceName(domain, collection)] : []
  })
}

/** The roles that assertions about the held roles name, as far as they are delegated to the domain of the assertion. */
async function delegatedRoles(store: Store, held: readonly RolesOfDomain[]) {
  const assumed = held.flatMap(({ domain, roles }) =>
    [...activePolicies(domain)]
      .flatMap(({ assertions }) => [...assertions.values()])
      .filter(({ role, action }) => roles.has(role) && action.toLowerCase() === ASSUME_ROLE)
      .flatMap(({ resource }) => {
        const delegated = splitResourceName('role', resource)
        return delegated ? [{ trusted: domain.name, ...delegated }] : []
      }),
  )
  const delegations = await inTheirDomains(store, assumed)
  const domains = await store.domains([...new Set(delegations.map(({ domain }) => domain))])
  return delegations.flatMap(({ trusted, domain: name, name: role }) => {
    const domain = domains.get(name)
    return domain?.roles.get(role)?.trust === trusted ? [{ domain, role }] : []
  })
}

/** An assumed role of a certain domain. */
interface AssumedRole {
  /** Domain whose members assume it. */
  readonly trusted: string
  readonly domain: string
  readonly name: string
}

/** The roles themselves, and for those of every domain (`*`) the ones of that name that are delegated to the trusted domain. */
async function inTheirDomains(store: Store, assumed: readonly AssumedRole[]): Promise<AssumedRole[]> {
  const trusted = new Set(assumed.flatMap((each) => (each.domain === '*' ? [each.trusted] : [])))
  const trusting = new Map(
    await Promise.all([...trusted].map(async (name) => [name, await store.rolesTrusting(name)] as const)),
  )
  return assumed.flatMap((each) => {
    if (each.domain !== '*') return [each]
    const delegated = trusting.get(each.trusted) ?? []
    return delegated.filter(({ role }) => role === each.name).map(({ domain }) => ({ ...each, domain }))
  })
}

const domainsOf = (memberships: readonly FoundMembership[]): string[] => [
  ...new Set(memberships.map(({ domain }) => domain)),
]

/** The assertions of all versions of all policies. */
function* assertionsOf(domain: Domain): Generator<Assertion> {
  for (const versions of domain.policies.values()) {
    for (const { assertions } of versions.values()) yield* assertions.values()
  }
}

/** What the resource of an assertion stands for; nothing when it is one of another domain. */
function spelledOut(
  spelling: ResourceSpelling,
  domain: Domain,
  { resource }: Assertion,
  filter: string | undefined,
): readonly string[] {
  if (resourceDomain(resource) !== domain.name) return []
  return spelling.spell(domain, resource.slice(domain.name.length + 1), filter)
}
