import { isGroupName } from '../names/principal-name.ts'
import { groupResourceName, roleResourceName } from '../names/resource-name.ts'
import type { CompiledAssertion, PolicyView } from './compiled-policies.ts'
import type { DomainLookup, DomainView, Needs, RoleView } from './domain-view.ts'
import {
  type EntryHolding,
  type EntryState,
  type HeldRole,
  type Holding,
  hasExpired,
  type Lapse,
  Missing,
  needs,
  type OwnHolding,
  stateOf,
  type TrustHolding,
} from './holding.ts'
import type { MemberEntry, MembersView } from './members.ts'

/**
 * Which rules decide who holds a role. `access`, of the access checks of both servers: an `assume_role` assertion
 * delegates whatever its effect and also to roles selected by a glob, and the entry of a group counts though it is
 * suspended. `token`, of the roles that ZTS puts into tokens and certificates: only an ALLOW assertion that names one
 * role delegates, and no suspended entry counts.
 */
export type MembershipRules = 'access' | 'token'

/** Whose memberships are looked at, and how. */
export interface MembershipQuestion {
  /** Full name of the principal. */
  readonly principal: string
  /** Epoch milliseconds. */
  readonly now: number
  /** When given, only roles delegated to this domain count as delegated. */
  readonly trustDomain?: string | undefined
  /** `access` when absent. */
  readonly rules?: MembershipRules | undefined
}

/** Answer to {@link isMember}. */
export type MemberAnswer<P extends PolicyView = PolicyView> =
  | { readonly outcome: 'member'; readonly holding: Holding<P> }
  | { readonly outcome: 'not-member' }
  | Needs

/** Whether a principal holds one role (lower-case local name) of a domain; nobody holds a role that is not there. */
export function isMember<P extends PolicyView>(
  domain: DomainView<P>,
  roleName: string,
  question: MembershipQuestion,
  lookup: DomainLookup<P>,
): MemberAnswer<P> {
  const found = new Memberships(domain, question, lookup).holding(roleName)
  if (found === undefined) return { outcome: 'not-member' }
  return found instanceof Missing ? needs([found]) : { outcome: 'member', holding: found }
}

/** Answer to {@link rolesOf}. */
export type RolesAnswer<P extends PolicyView = PolicyView> =
  | { readonly outcome: 'roles'; readonly roles: readonly HeldRole<Holding<P>>[] }
  | Needs

/**
 * The roles of a domain that a principal holds, in the order given. `among` (lower-case local names, all by default)
 * limits the search to the roles asked for, or to those that an index of the caller's offers: cost grows with them.
 */
export function rolesOf<P extends PolicyView>(
  domain: DomainView<P>,
  question: MembershipQuestion,
  lookup: DomainLookup<P>,
  among: Iterable<string> = domain.roles.keys(),
): RolesAnswer<P> {
  const memberships = new Memberships(domain, question, lookup)
  const roles: HeldRole<Holding<P>>[] = []
  const missing: Missing[] = []
  for (const role of among) {
    const found = memberships.holding(role)
    if (found instanceof Missing) missing.push(found)
    else if (found !== undefined) roles.push({ role, holding: found })
  }
  return missing.length > 0 ? needs(missing) : { outcome: 'roles', roles }
}

/**
 * The memberships of one principal in one domain at one moment: the only place where they are judged, for decisions,
 * lists of roles and explanations alike. An entry that is expired or disabled never hides another one that counts.
 * Made for one question and thrown away, since it remembers what it has found.
 */
export class Memberships<P extends PolicyView> {
  readonly #domain: DomainView<P>
  readonly #principal: string
  /** False for what only wildcards can match: a group is no principal, and `x*` is not the name of one. */
  readonly #named: boolean
  readonly #now: number
  readonly #trustDomain: string | undefined
  readonly #rules: MembershipRules
  readonly #lookup: DomainLookup<P>
  readonly #onLapse: ((lapse: Lapse) => void) | undefined
  /** Roles held by their own members, by domain: made for the first glob of roles, and all that later ones go through. */
  #ownRoles: Map<DomainView<P>, readonly HeldRole<OwnHolding | Missing>[]> | undefined
  /** Entries found so far that match the principal but do not count. */
  #lapseCount = 0
  /** Delegated roles of the domain that are held, likewise. */
  #delegatedRoles: readonly DelegatedRole<P>[] | undefined

  /** `onLapse` is told of the entries that match the principal but do not count; others that do may follow. */
  constructor(
    domain: DomainView<P>,
    question: MembershipQuestion,
    lookup: DomainLookup<P>,
    onLapse?: (lapse: Lapse) => void,
  ) {
    this.#domain = domain
    this.#principal = question.principal.toLowerCase()
    this.#named = !this.#principal.endsWith('*') && !isGroupName(this.#principal)
    this.#now = question.now
    this.#trustDomain = question.trustDomain?.toLowerCase()
    this.#rules = question.rules ?? 'access'
    this.#lookup = lookup
    this.#onLapse = onLapse
  }

  /** How the principal holds the role of that local name, if so; Missing when only other domains can tell. */
  holding(roleName: string): Holding<P> | Missing | undefined {
    const role = this.#domain.roles.get(roleName)
    if (role === undefined) return undefined
    return isDelegated(role)
      ? this.#delegatedHolding(roleName, role.trust)
      : this.#ownHolding(this.#domain, roleName, role)
  }

  /** The first role that the assertion selects and the principal holds; Missing when only other domains can tell. */
  selected(assertion: CompiledAssertion<P>): HeldRole<Holding<P>> | Missing | undefined {
    if (assertion.role !== undefined) return heldRole(assertion.role, this.holding(assertion.role))
    const own = this.#ownSelected(this.#domain, assertion)
    if (own !== undefined && !(own instanceof Missing)) return own
    let missing = own && withDomains(undefined, own)
    for (const candidate of this.#delegatedCandidates()) {
      if (!assertion.selectsRole(candidate.role)) continue
      if (candidate.found === undefined) {
        candidate.found = this.#delegatedHolding(candidate.role, candidate.trust) ?? null
      }
      if (candidate.found instanceof Missing) missing = withDomains(missing, candidate.found)
      else if (candidate.found !== null) return { role: candidate.role, holding: candidate.found }
    }
    return missing && new Missing(missing)
  }

  /** By the role's members: the principal's name, then wildcards, then groups. */
  #ownHolding(domain: DomainView<P>, roleName: string, role: RoleView): OwnHolding | Missing | undefined {
    const { members } = role
    const entry = this.#entryHolding(members, domain.name, roleName)
    if (entry !== undefined || members.groups.length === 0) return entry
    let missing: string[] | undefined
    for (const reference of members.groups) {
      const state = this.#groupState(reference.entry)
      if (state !== 'active' && this.#onLapse === undefined) continue
      const home = this.#domainOf(reference.domain)
      if (home === undefined && state === 'active') (missing ??= []).push(reference.domain)
      const group = home?.groups.get(reference.group)
      if (group === undefined) continue
      const name = groupResourceName(reference.domain, reference.group)
      const before = this.#lapseCount
      const within = this.#entryHolding(group.members, domain.name, roleName, name)
      if (within === undefined && this.#lapseCount === before) continue
      if (state !== 'active') this.#onLapse?.({ domain: domain.name, role: roleName, entry: reference.entry, state })
      else if (within !== undefined) return { via: 'group', entry: reference.entry, group: name, within }
    }
    return missing && new Missing(missing)
  }

  #entryHolding(members: MembersView, domain: string, role: string, group?: string): EntryHolding | undefined {
    const direct = this.#named ? members.getFolded(this.#principal) : undefined
    if (direct !== undefined && this.#counts(direct, domain, role, group)) return { via: 'direct', entry: direct }
    for (const { entry, prefix } of members.wildcards) {
      if (!this.#principal.startsWith(prefix)) continue
      if (this.#counts(entry, domain, role, group)) return { via: 'wildcard', entry }
    }
    return undefined
  }

  #counts(entry: MemberEntry, domain: string, role: string, group: string | undefined): boolean {
    const state = stateOf(entry, this.#now)
    if (state === 'active') return true
    this.#lapseCount++
    this.#onLapse?.({ domain, role, group, entry, state })
    return false
  }

  #groupState(entry: MemberEntry): EntryState {
    if (this.#rules === 'token') return stateOf(entry, this.#now)
    return hasExpired(entry, this.#now) ? 'expired' : 'active'
  }

  /** By the domain that the role is delegated to; a role that is itself delegated does not count there. */
  #delegatedHolding(roleName: string, trust: string): TrustHolding<P> | Missing | undefined {
    const home = this.#trusted(trust)
    if (home === undefined) return new Missing([trust.toLowerCase()])
    if (home === null) return undefined
    let missing: string[] | undefined
    for (const delegation of home.policies.delegations(roleResourceName(this.#domain.name, roleName))) {
      if (this.#rules === 'token' && (delegation.denies || delegation.role === undefined)) continue
      const found = this.#ownSelected(home, delegation)
      if (found === undefined) continue
      if (found instanceof Missing) {
        missing = withDomains(missing, found)
        continue
      }
      const { policy, assertion } = delegation
      return { via: 'trust', domain: home.name, role: found.role, policy, assertion, within: found.holding }
    }
    return missing && new Missing(missing)
  }

  /** The domain a role is delegated to; null when the question is about another one. */
  #trusted(trust: string): DomainView<P> | null | undefined {
    const name = trust.toLowerCase()
    return this.#trustDomain === undefined || this.#trustDomain === name ? this.#domainOf(name) : null
  }

  /** The first role that the assertion selects and the principal holds by the role's own members. */
  #ownSelected(domain: DomainView<P>, assertion: CompiledAssertion<P>): HeldRole<OwnHolding> | Missing | undefined {
    if (assertion.role !== undefined) {
      const role = domain.roles.get(assertion.role)
      return role && heldRole(assertion.role, this.#ownHolding(domain, assertion.role, role))
    }
    let missing: string[] | undefined
    for (const { role, holding } of this.#ownCandidates(domain)) {
      if (!assertion.selectsRole(role)) continue
      if (!(holding instanceof Missing)) return { role, holding }
      missing = withDomains(missing, holding)
    }
    return missing && new Missing(missing)
  }

  #ownCandidates(domain: DomainView<P>): readonly HeldRole<OwnHolding | Missing>[] {
    this.#ownRoles ??= new Map()
    let candidates = this.#ownRoles.get(domain)
    if (candidates === undefined) {
      candidates = [...domain.roles].flatMap(([role, view]) => {
        const holding = this.#ownHolding(domain, role, view)
        return holding === undefined ? [] : [{ role, holding }]
      })
      this.#ownRoles.set(domain, candidates)
    }
    return candidates
  }

  #delegatedCandidates(): readonly DelegatedRole<P>[] {
    return (this.#delegatedRoles ??= [...this.#domain.roles].flatMap(([role, view]) =>
      isDelegated(view) ? [{ role, trust: view.trust, found: undefined }] : [],
    ))
  }

  #domainOf(name: string): DomainView<P> | null | undefined {
    return name === this.#domain.name ? this.#domain : this.#lookup(name)
  }
}

/** A delegated role of the domain; who holds it is found out when a glob first selects it. */
interface DelegatedRole<P extends PolicyView> {
  readonly role: string
  readonly trust: string
  /** Null when it is not held. */
  found: TrustHolding<P> | Missing | null | undefined
}

/** Local names of the roles of a domain that an assertion selects, held or not. */
export function selectedRoles(domain: DomainView, assertion: CompiledAssertion): string[] {
  if (assertion.role !== undefined) return domain.roles.has(assertion.role) ? [assertion.role] : []
  return [...domain.roles.keys()].filter((role) => assertion.selectsRole(role))
}

/** A role counts as delegated only while it has no members of its own. */
export function isDelegated(role: RoleView): role is RoleView & { trust: string } {
  return role.trust !== undefined && role.trust !== '' && role.members.size === 0
}

/** Adds what is missing to a list that is made when there is something. */
function withDomains(domains: string[] | undefined, missing: Missing): string[] {
  const all = domains ?? []
  for (const domain of missing.domains) all.push(domain)
  return all
}

function heldRole<H>(role: string, found: H | Missing | undefined): HeldRole<H> | Missing | undefined {
  if (found === undefined) return undefined
  return found instanceof Missing ? found : { role, holding: found }
}
