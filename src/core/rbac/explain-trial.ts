import { splitResourceName } from '../names/resource-name.ts'
import { type AssertionOf, CompiledAssertion, type PolicyView } from './compiled-policies.ts'
import type { DomainLookup, DomainView, RoleView } from './domain-view.ts'
import { type AccessQuestion, type Decision, decideAmong, type Refusal, refusalOf, rolesHeld } from './evaluate.ts'
import type { Ground } from './explain-trace.ts'
import type { Lapse } from './holding.ts'
import { type MemberEntry, Members, type MembersView } from './members.ts'

/** A change that, alone or with others, makes a question pass. Roles are local names. */
export type Change<P extends PolicyView = PolicyView> =
  /** Let the principal into a role. */
  | { readonly kind: 'add-member'; readonly domain: string; readonly role: string }
  /** Take the principal's own entry out of a role. */
  | { readonly kind: 'remove-member'; readonly domain: string; readonly role: string }
  /** Make an entry count that is expired, disabled or awaits a decision. */
  | { readonly kind: 'renew-member' | 'enable-member' | 'approve-member'; readonly lapse: Lapse }
  /** Make a role with the principal as its member; without a name any new one will do. */
  | { readonly kind: 'create-role'; readonly domain: string; readonly role: string | undefined }
  /** Let a role do the action with the resource; without a name the role that is created. */
  | { readonly kind: 'add-assertion'; readonly domain: string; readonly role: string | undefined }
  | { readonly kind: 'remove-assertion'; readonly policy: P; readonly assertion: AssertionOf<P> }
  /** Make a version of a policy the active one. */
  | { readonly kind: 'activate-version'; readonly policy: P }
  /** Ask with a credential that names the role too. */
  | { readonly kind: 'name-role'; readonly role: string }
  /** Ask without what had the question refused. */
  | { readonly kind: 'avoid-refusal'; readonly refusal: Refusal }

/** No role has it: stands for that of a role which is still to be made. */
const NEW_ROLE = '\u0000'

/** What the engine would decide after the changes; they are made on a copy. */
export function decideAfter<P extends PolicyView>(
  { domain, question, lookup, inactive }: Ground<P>,
  changes: readonly Change<P>[],
): Decision<P> {
  const changed = new ChangedDomains(domain, lookup)
  const removed = new Set<AssertionOf<P>>()
  const added: CompiledAssertion<P>[] = []
  const activated: P[] = []
  let asked = question
  for (const change of changes) {
    const { principal } = asked
    switch (change.kind) {
      case 'add-member':
        changed.putMember(change.domain, change.role, { memberName: principal.fullName })
        break
      case 'remove-member':
        changed.removeMember(change.domain, change.role, principal.fullName)
        break
      case 'renew-member':
      case 'enable-member':
      case 'approve-member':
        changed.makeCount(change.lapse)
        break
      case 'create-role':
        changed.putMember(change.domain, change.role ?? NEW_ROLE, { memberName: principal.fullName })
        break
      case 'add-assertion':
        added.push(assertionFor(asked, change.role ?? NEW_ROLE))
        break
      case 'remove-assertion':
        removed.add(change.assertion)
        break
      case 'activate-version':
        activated.push(change.policy)
        break
      case 'name-role':
        asked = { ...asked, principal: { ...principal, roles: [...(principal.roles ?? []), change.role] } }
        break
      case 'avoid-refusal':
        asked = withoutRefusal(asked, change.refusal)
    }
  }
  const view = changed.domain(domain.name) ?? domain
  const refusal = refusalOf(view, asked)
  if (refusal !== undefined) return { outcome: 'deny', reason: refusal }
  const [action, resource] = [asked.action.toLowerCase(), asked.resource.toLowerCase()]
  const replaced = (policy: P) => activated.some((version) => inactive?.replaces(version, policy) === true)
  const matching = [
    ...view.policies
      .matching(action, resource)
      .filter((each) => !removed.has(each.assertion) && !replaced(each.policy)),
    ...(activated.length === 0 ? [] : (inactive?.policies.matching(action, resource) ?? [])).filter((each) =>
      activated.includes(each.policy),
    ),
    ...added,
  ]
  return decideAmong(
    matching,
    rolesHeld(view, asked, (name) => changed.domain(name)),
  )
}

/** The question as it would have to be asked in order not to be refused for this reason. */
export function withoutRefusal(question: AccessQuestion, refusal: Refusal): AccessQuestion {
  const { principal } = question
  switch (refusal) {
    case 'mtls-restricted':
      return { ...question, principal: { ...principal, mtlsRestricted: false } }
    case 'trust-domain-with-roles':
      return { ...question, trustDomain: undefined }
    case 'role-of-other-domain':
      return { ...question, principal: { ...principal, roles: [] } }
    default:
      return question
  }
}

function assertionFor<P extends PolicyView>({ action, resource }: AccessQuestion, role: string): CompiledAssertion<P> {
  const assertion = { role, action, resource, effect: 'ALLOW' } as AssertionOf<P>
  return new CompiledAssertion<P>({} as P, assertion, 0, '', {})
}

/** Domains with changed members, over those that the engine looks at. */
class ChangedDomains<P extends PolicyView> {
  readonly #origin: DomainView<P>
  readonly #lookup: DomainLookup<P>
  readonly #changed = new Map<string, DomainView<P>>()

  constructor(origin: DomainView<P>, lookup: DomainLookup<P>) {
    this.#origin = origin
    this.#lookup = lookup
  }

  domain(name: string): DomainView<P> | null | undefined {
    return this.#changed.get(name) ?? (name === this.#origin.name ? this.#origin : this.#lookup(name))
  }

  putMember(domainName: string, roleName: string, entry: MemberEntry): void {
    this.#changeRole(domainName, roleName, (members) => new MembersWith(members, entry))
  }

  removeMember(domainName: string, roleName: string, memberName: string): void {
    this.#changeRole(domainName, roleName, (members) => new MembersWithout(members, memberName))
  }

  makeCount({ domain, role, group, entry }: Lapse): void {
    const counting = { memberName: entry.memberName }
    if (group === undefined) {
      this.putMember(domain, role, counting)
      return
    }
    const place = splitResourceName('group', group)
    const home = place && this.domain(place.domain)
    const view = place && home?.groups.get(place.name)
    if (!place || !home || !view) return
    const groups = new Map(home.groups).set(place.name, { members: new MembersWith(view.members, counting) })
    this.#put(home, home.roles, groups)
  }

  #changeRole(domainName: string, roleName: string, change: (members: MembersView) => MembersView): void {
    const home = this.domain(domainName)
    if (!home) return
    const role: RoleView = home.roles.get(roleName) ?? { members: new Members() }
    const roles = new Map(home.roles).set(roleName, { trust: role.trust, members: change(role.members) })
    this.#put(home, roles, home.groups)
  }

  #put({ name, enabled, policies }: DomainView<P>, roles: DomainView['roles'], groups: DomainView['groups']): void {
    this.#changed.set(name, { name, enabled, policies, roles, groups })
  }
}

/** Members with one entry put among them. */
class MembersWith implements MembersView {
  readonly #base: MembersView
  readonly #own: Members
  readonly #name: string

  constructor(base: MembersView, entry: MemberEntry) {
    this.#base = base
    this.#own = new Members([entry])
    this.#name = entry.memberName.toLowerCase()
  }

  get size(): number {
    return this.#base.size + Number(this.#base.getFolded(this.#name) === undefined)
  }

  getFolded(name: string): MemberEntry | undefined {
    return name === this.#name ? this.#own.getFolded(name) : this.#base.getFolded(name)
  }

  get wildcards(): MembersView['wildcards'] {
    return [...this.#own.wildcards, ...others(this.#base.wildcards, this.#name)]
  }

  get groups(): MembersView['groups'] {
    return [...this.#own.groups, ...others(this.#base.groups, this.#name)]
  }
}

/** Members without the one of a name. */
class MembersWithout implements MembersView {
  readonly #base: MembersView
  readonly #name: string

  constructor(base: MembersView, memberName: string) {
    this.#base = base
    this.#name = memberName.toLowerCase()
  }

  get size(): number {
    return this.#base.size - Number(this.#base.getFolded(this.#name) !== undefined)
  }

  getFolded(name: string): MemberEntry | undefined {
    return name === this.#name ? undefined : this.#base.getFolded(name)
  }

  get wildcards(): MembersView['wildcards'] {
    return others(this.#base.wildcards, this.#name)
  }

  get groups(): MembersView['groups'] {
    return others(this.#base.groups, this.#name)
  }
}

const others = <T extends { readonly entry: MemberEntry }>(list: readonly T[], name: string): T[] =>
  list.filter(({ entry }) => entry.memberName.toLowerCase() !== name)
