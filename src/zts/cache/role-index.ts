import { isGroupName } from '#core/names/principal-name.ts'
import type { DomainView, GroupView } from '#core/rbac/domain-view.ts'
import { PrefixTree } from '#core/rbac/prefix-tree.ts'
import type { Steps } from '#core/seam/steps.ts'
import type { CachedDomain, CachedRole } from './model.ts'

/** Positions of roles in the order of their domain. */
type Positions = number[]

/** A group that is a member of roles. */
interface ReferencedGroup {
  readonly domain: string
  readonly group: string
  readonly roles: Positions
}

/** Members that are added between two looks at the time. */
const STEP_SIZE = 500

/** What an index asks of the domains that groups and delegated roles lead to. */
export interface IndexedDomain extends Pick<DomainView, 'groups'> {
  /** Whether some role may be held by a principal through the role's own members. */
  mayHoldOwnRole(principal: string): boolean
}

/**
 * Which roles of a domain a principal may hold, without looking at those that it cannot: names are looked up, wildcards
 * by their prefix, groups each once whatever the number of roles they are in, and roles delegated to a domain only when
 * the principal has something there. Whether a membership counts at a moment is not judged.
 */
export class RoleIndex {
  readonly #domain: Pick<CachedDomain, 'name' | 'groups'>
  readonly #lookup: (name: string) => IndexedDomain | undefined
  readonly #names: readonly string[]
  readonly #byMember = new Map<string, Positions>()
  readonly #byPrefix = new PrefixTree<Positions>()
  readonly #groups: ReferencedGroup[] = []
  /** Delegated roles by the domain that they are delegated to. */
  readonly #byTrust = new Map<string, Positions>()

  /** Makes the index of a domain in steps. */
  static *steps(
    domain: Pick<CachedDomain, 'name' | 'groups' | 'roles'>,
    lookup: (name: string) => IndexedDomain | undefined,
  ): Steps<RoleIndex> {
    const index = new RoleIndex(domain, lookup)
    yield* index.#addAll(domain.roles.values())
    return index
  }

  private constructor(
    domain: Pick<CachedDomain, 'name' | 'groups' | 'roles'>,
    lookup: (name: string) => IndexedDomain | undefined,
  ) {
    this.#domain = domain
    this.#lookup = lookup
    this.#names = [...domain.roles.keys()]
  }

  *#addAll(roles: Iterable<CachedRole>): Steps<void> {
    const prefixes = new Map<string, Positions>()
    const groups = new Map<string, ReferencedGroup>()
    let position = 0
    let members = 0
    for (const role of roles) {
      for (const { memberName } of role.members) {
        const name = memberName.toLowerCase()
        if (!name.endsWith('*') && !isGroupName(name)) append(this.#byMember, name, position)
        if (++members % STEP_SIZE === 0) yield
      }
      for (const { prefix } of role.members.wildcards) append(prefixes, prefix, position)
      for (const each of role.members.groups) {
        const key = `${each.domain}:${each.group}`
        const known = groups.get(key)
        if (known) known.roles.push(position)
        else groups.set(key, { domain: each.domain, group: each.group, roles: [position] })
      }
      if (role.members.size === 0 && role.trust) append(this.#byTrust, role.trust.toLowerCase(), position)
      position++
    }
    for (const [prefix, positions] of prefixes) this.#byPrefix.set(prefix, positions)
    this.#groups.push(...groups.values())
  }

  /** Local names of the roles that a principal (lower-case full name) may hold, in the order of the domain. */
  rolesToJudge(principal: string): readonly string[] {
    const found = this.#own(principal)
    for (const [trust, roles] of this.#byTrust) {
      if (this.#mayHoldRoleOf(trust, principal)) found.push(roles)
    }
    const [first] = found
    if (first === undefined) return []
    const positions = found.length === 1 ? first : [...new Set(found.flat())].sort((a, b) => a - b)
    return positions.map((each) => this.#names[each] as string)
  }

  /** Whether some role may be held through its own members. */
  mayHoldOwnRole(principal: string): boolean {
    return this.#own(principal).length > 0
  }

  #own(principal: string): Positions[] {
    const found: Positions[] = []
    const named = this.#byMember.get(principal)
    if (named !== undefined) found.push(named)
    this.#byPrefix.collect(principal, found)
    for (const { domain, group, roles } of this.#groups) {
      const view = this.#groupsOf(domain)?.get(group)
      if (view !== undefined && mayBeIn(view, principal)) found.push(roles)
    }
    return found
  }

  #mayHoldRoleOf(trust: string, principal: string): boolean {
    if (trust === this.#domain.name) return this.mayHoldOwnRole(principal)
    return this.#lookup(trust)?.mayHoldOwnRole(principal) ?? false
  }

  #groupsOf(domain: string): ReadonlyMap<string, GroupView> | undefined {
    return domain === this.#domain.name ? this.#domain.groups : this.#lookup(domain)?.groups
  }
}

function mayBeIn({ members }: GroupView, principal: string): boolean {
  return (
    members.getFolded(principal) !== undefined || members.wildcards.some(({ prefix }) => principal.startsWith(prefix))
  )
}

function append(map: Map<string, Positions>, key: string, position: number): void {
  const positions = map.get(key)
  if (positions === undefined) map.set(key, [position])
  // A wildcard may be written in two ways in one role.
  else if (positions.at(-1) !== position) positions.push(position)
}
