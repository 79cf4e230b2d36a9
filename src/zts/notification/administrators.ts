import { isUserName, type PrincipalDomains } from '#core/names/principal-name.ts'
import { roleResourceName } from '#core/names/resource-name.ts'
import { hasExpired } from '#core/rbac/holding.ts'
import type { MemberEntry } from '#core/rbac/members.ts'
import type { Domains } from '../cache/domains.ts'
import type { CachedDomain, CachedRole } from '../cache/model.ts'

const ADMIN = 'admin'

/**
 * Full names of the users who administer a domain at a time (epoch milliseconds), by themselves, through groups or by
 * delegation; nobody when the domain is not known.
 */
export function administratorsOf(
  domains: Pick<Domains, 'get'>,
  domainName: string,
  { principals, now }: { readonly principals: PrincipalDomains; readonly now: number },
): ReadonlySet<string> {
  const people = new Set<string>()
  const domain = domains.get(domainName)
  const counts = (entry: MemberEntry) => !entry.systemDisabled && !hasExpired(entry, now)
  const add = (members: Iterable<MemberEntry>) => {
    for (const entry of members) {
      const name = entry.memberName.toLowerCase()
      if (counts(entry) && !name.includes('*') && isUserName(name, principals)) people.add(name)
    }
  }
  for (const { members } of domain ? rolesBehind(domains, domain) : []) {
    add(members)
    for (const { domain: home, group, entry } of members.groups) {
      if (counts(entry)) add(domains.get(home)?.groups.get(group)?.members ?? [])
    }
  }
  return people
}

/** The role of administrators, or those whose members may assume it where it is delegated. */
function rolesBehind(domains: Pick<Domains, 'get'>, domain: CachedDomain): CachedRole[] {
  const role = domain.roles.get(ADMIN)
  if (role?.trust === undefined || role.trust === '') return role ? [role] : []
  const trusted = domains.get(role.trust.toLowerCase())
  const delegations = trusted?.policies.delegations(roleResourceName(domain.name, ADMIN)) ?? []
  return [...(trusted?.roles.values() ?? [])].filter(({ name }) =>
    delegations.some((delegation) => delegation.selectsRole(name)),
  )
}
