import { groupResourceName, roleResourceName } from '../names/resource-name.ts'
import type { PolicyView } from './compiled-policies.ts'
import type { DomainLookup, DomainView, PendingEntry, RoleView } from './domain-view.ts'
import type { AccessQuestion } from './evaluate.ts'
import { hasExpired, type Lapse, Missing, stateOf } from './holding.ts'
import { Members } from './members.ts'
import { isDelegated, selectedRoles } from './memberships.ts'

/**
 * Requests that would give a principal a role if they were approved: for the principal itself or for a group it is in, in
 * the role, in a group that is a member of it, or in a role that may assume it. Domains that are not loaded are added to
 * `missing`.
 */
export function pendingLapses<P extends PolicyView>(
  domain: DomainView<P>,
  roleName: string,
  role: RoleView,
  { principal, trustDomain, now }: AccessQuestion,
  lookup: DomainLookup<P>,
  missing: Missing[],
): Lapse[] {
  const who = principal.fullName.toLowerCase()
  const found = (name: string): DomainView<P> | undefined => {
    const other = name === domain.name ? domain : lookup(name)
    if (other === undefined) missing.push(new Missing([name]))
    return other ?? undefined
  }
  const own = (home: DomainView<P>, name: string, view: RoleView): Lapse[] => {
    const place = { domain: home.name, role: name, state: 'pending' } as const
    const requests = waiting(view, now).filter((entry) => brings(entry, who, now, found))
    const inGroups = view.members.groups.flatMap(({ domain: groupDomain, group }) => {
      const groupView = found(groupDomain)?.groups.get(group)
      const names = groupView === undefined ? [] : waiting(groupView, now)
      return names
        .filter((entry) => entry.memberName.toLowerCase() === who)
        .map((entry) => ({ ...place, group: groupResourceName(groupDomain, group), entry }))
    })
    return [...requests.map((entry) => ({ ...place, entry })), ...inGroups]
  }
  if (!isDelegated(role)) return own(domain, roleName, role)
  const trust = role.trust.toLowerCase()
  if (trustDomain !== undefined && trustDomain.toLowerCase() !== trust) return []
  const home = found(trust)
  if (home === undefined) return []
  return home.policies
    .delegations(roleResourceName(domain.name, roleName))
    .flatMap((delegation) =>
      selectedRoles(home, delegation).flatMap((name) => own(home, name, home.roles.get(name) as RoleView)),
    )
}

/** Requests to be let in, but for those whose time is already over. */
function waiting({ pending }: Pick<RoleView, 'pending'>, now: number): PendingEntry[] {
  return [...(pending?.values() ?? [])].filter((entry) => entry.pendingState !== 'DELETE' && !hasExpired(entry, now))
}

/** Whether an entry is the principal's, by name, as a wildcard, or as a group that the principal is in. */
function brings<P extends PolicyView>(
  entry: PendingEntry,
  who: string,
  now: number,
  found: (domain: string) => DomainView<P> | undefined,
): boolean {
  const { groups, wildcards } = new Members([entry])
  const [group] = groups
  if (group === undefined) {
    return entry.memberName.toLowerCase() === who || wildcards.some(({ prefix }) => who.startsWith(prefix))
  }
  const member = found(group.domain)?.groups.get(group.group)?.members.getFolded(who)
  return member !== undefined && stateOf(member, now) === 'active'
}
