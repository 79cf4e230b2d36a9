import { badRequest, notFound } from '#core/error/service-error.ts'
import { type Handlers, ok } from '#core/http/endpoint.ts'
import { localName, roleResourceName } from '#core/names/resource-name.ts'
import { Glob, isGlob } from '#core/rbac/glob.ts'
import { stateOf } from '#core/rbac/holding.ts'
import { covers, overlaps } from '#core/rbac/pattern-relations.ts'
import { inTurns, type Steps } from '#core/seam/steps.ts'
import type {
  AssertionPreview,
  accessSearchEndpoints,
  HeldAssertion,
  ResourceHolders,
  RoleReach,
  StatedAssertion,
} from '../api/access-search.ts'
import type { Assertion, Domain, Policy, Role } from '../store/model.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { activePolicies } from './domain-views.ts'
import { KeysetPage, pageLimit } from './keyset-page.ts'
import { compact } from './wire-form.ts'

/** How much of each list is told. */
const SHOWN = { roles: 10, members: 10, names: 10, assertions: 20 }

type Opposed = AssertionPreview['opposed'][number]
type Touched = AssertionPreview['touched'][number]

/** An assertion that is thought of, in lower case; `role` is a local name or a pattern of such names. */
interface Thought {
  readonly effect: 'ALLOW' | 'DENY'
  readonly role: string
  readonly action: string
  readonly resource: string
}

/** What assertions do, for people who write them or ask who may do something. */
export function accessSearchService(deps: ZmsDependencies): Handlers<typeof accessSearchEndpoints> {
  const { store, authorization, now } = deps
  return {
    async searchHolders({ params, query: { action, resource, skip, limit } }) {
      const domain = await knownDomain('searchHolders', params.domainName)
      const order = { limit: pageLimit('searchHolders', limit), skip, keyOf: idOf }
      const page = new KeysetPage<Found, number>(order)
      for (const found of authorization.view(domain).policies.matching(action, resource)) page.offer(found)
      const { entries, next } = page.get()
      const list = entries.map((found): HeldAssertion => {
        const { roles, roleCount } = reached(domain, rolesOf(domain, found.assertion.role), now())
        return { ...stated(domain, found), roles, roleCount }
      })
      return ok(compact<ResourceHolders>({ list, total: page.total, next }))
    },

    async previewAssertion({ params, query }) {
      const domain = await knownDomain('previewAssertion', params.domainName)
      const thought = thoughtOf(domain, query)
      const roles = rolesOf(domain, thought.role)
      return ok(
        compact<AssertionPreview>({
          ...thought,
          role: roleResourceName(domain.name, thought.role),
          ...reached(domain, roles, now()),
          touched: touchedBy(domain, thought.resource),
          ...(await inTurns(besides(domain, thought, roles, now()))),
        }),
      )
    },
  }

  async function knownDomain(api: string, name: string): Promise<Domain> {
    const domain = await store.domain(name)
    if (!domain) throw notFound(`${api}: Domain not found: '${name}'`)
    return domain
  }
}

function thoughtOf(
  domain: Domain,
  {
    role: name,
    action,
    resource,
    effect = 'allow',
  }: { role: string; action: string; resource: string; effect?: string | undefined },
): Thought {
  if (effect !== 'allow' && effect !== 'deny') throw badRequest('previewAssertion: effect must be ALLOW or DENY')
  const role = localName('role', domain.name, name)
  if (role === undefined) throw badRequest('previewAssertion: role is one of another domain')
  return { effect: effect === 'deny' ? 'DENY' : 'ALLOW', role, action, resource }
}

/** An assertion with its policy. */
interface Found {
  readonly policy: Policy
  readonly assertion: Assertion
}

const idOf = ({ assertion }: Found): number => assertion.id ?? 0

const stated = ({ name: domain }: Domain, { policy, assertion }: Found): StatedAssertion =>
  compact<StatedAssertion>({
    policy: policy.name,
    version: policy.version,
    id: assertion.id,
    effect: assertion.effect === 'DENY' ? 'DENY' : 'ALLOW',
    role: roleResourceName(domain, assertion.role),
    action: assertion.action,
    resource: assertion.resource,
    conditions: assertion.conditions && assertion.conditions.size > 0 ? true : undefined,
  })

/** The roles of a domain that a local name or a pattern of such names selects. */
function rolesOf(domain: Domain, name: string): readonly Role[] {
  if (!isGlob(name)) return [domain.roles.get(name)].filter((role) => role !== undefined)
  const glob = new Glob(name)
  return [...domain.roles.values()].filter((role) => glob.matches(role.name))
}

const reached = ({ name: domain }: Domain, roles: readonly Role[], now: number) => ({
  roles: roles.slice(0, SHOWN.roles).map((role): RoleReach => {
    const members: string[] = []
    let memberCount = 0
    for (const member of role.members.values()) {
      if (stateOf(member, now) !== 'active') continue
      if (memberCount++ < SHOWN.members) members.push(member.memberName)
    }
    return compact<RoleReach>({ role: roleResourceName(domain, role.name), trust: role.trust, memberCount, members })
  }),
  roleCount: roles.length,
})

/** What a resource stands for: objects of the domain, and what its assertions name. */
function touchedBy(domain: Domain, resource: string): Touched[] {
  const glob = new Glob(resource)
  const named = new Set<string>()
  for (const { assertions } of activePolicies(domain)) {
    for (const each of assertions.values()) {
      const name = each.resource.toLowerCase()
      if (!isGlob(name) && name !== resource) named.add(name)
    }
  }
  const { name: of, roles, groups, policies, services } = domain
  const kinds: readonly (readonly [kind: string, prefix: string, names: Iterable<string>])[] = [
    ['role', `${of}:role.`, roles.keys()],
    ['group', `${of}:group.`, groups.keys()],
    ['policy', `${of}:policy.`, policies.keys()],
    ['service', `${of}:service.`, services.keys()],
    ['resource', '', named],
  ]
  return kinds.flatMap(([kind, prefix, names]) => {
    const found: string[] = []
    let count = 0
    for (const name of names) if (glob.matches(prefix + name) && count++ < SHOWN.names) found.push(prefix + name)
    return count === 0 ? [] : [{ kind, count, names: found }]
  })
}

/** What of an assertion is told beside the one that is thought of. */
type Besides = Pick<AssertionPreview, 'coveredBy' | 'coveredByCount' | 'opposed' | 'opposedCount'>

/** The assertions that say the same already, and those of the other effect about some of it. */
function* besides(domain: Domain, thought: Thought, roles: readonly Role[], now: number): Steps<Besides> {
  const coveredBy: StatedAssertion[] = []
  const opposed: Opposed[] = []
  let [coveredByCount, opposedCount] = [0, 0]
  const reachedMembers = yield* activeMembers(roles, now)
  // Many assertions name the same few roles.
  const commonByRole = new Map<string, number>()
  for (const found of statedIn(domain)) {
    yield
    const { assertion, ...other } = found
    if (other.effect === thought.effect) {
      if (!coversAll(other, thought)) continue
      if (coveredByCount++ < SHOWN.assertions) coveredBy.push(stated(domain, found))
    } else if (overlaps(other.action, thought.action) && overlaps(other.resource, thought.resource)) {
      const { role } = assertion
      const commonMembers = commonByRole.get(role) ?? (yield* common(reachedMembers, rolesOf(domain, role), now))
      commonByRole.set(role, commonMembers)
      if (commonMembers === 0 && !overlaps(other.role, thought.role)) continue
      const wholly = other.effect === 'DENY' ? coversAll(other, thought) : coversAll(thought, other)
      if (opposedCount++ < SHOWN.assertions) opposed.push({ ...stated(domain, found), commonMembers, wholly })
    }
  }
  return { coveredBy, coveredByCount, opposed, opposedCount }
}

/** The assertions of active versions, and in lower case what they say. */
function* statedIn(domain: Domain): Generator<Found & Thought> {
  for (const policy of activePolicies(domain)) {
    for (const assertion of policy.assertions.values()) {
      const { role, action, resource } = assertion
      const effect = assertion.effect === 'DENY' ? 'DENY' : 'ALLOW'
      yield { policy, assertion, effect, role, action: action.toLowerCase(), resource: resource.toLowerCase() }
    }
  }
}

const coversAll = (outer: Thought, inner: Thought): boolean =>
  covers(outer.action, inner.action) && covers(outer.resource, inner.resource) && covers(outer.role, inner.role)

/** Who has a membership that counts in one of some roles; a group is one. */
function* activeMembers(roles: readonly Role[], now: number): Steps<ReadonlySet<string>> {
  const names = new Set<string>()
  for (const role of roles) {
    for (const member of role.members.values()) if (stateOf(member, now) === 'active') names.add(member.memberName)
    yield
  }
  return names
}

/** How many of them have such a membership in other roles, too. */
function* common(names: ReadonlySet<string>, others: readonly Role[], now: number): Steps<number> {
  const found = new Set<string>()
  for (const role of others) {
    for (const member of role.members.values()) {
      if (names.has(member.memberName) && stateOf(member, now) === 'active') found.add(member.memberName)
    }
    yield
  }
  return found.size
}
