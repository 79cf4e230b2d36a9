import type { DomainGroupMembership } from '#zms/api/group-membership.ts'
import type { DomainRoleMembership } from '#zms/api/role-membership.ts'
import { link, table, time } from '../components.ts'
import { html, path } from '../html.ts'
import { sectionPath } from '../layout.ts'
import { definePage } from '../page.ts'

/** A request for membership that waits for a decision. */
interface Waiting {
  readonly domain: string
  readonly kind: 'role' | 'group'
  readonly name: string
  readonly member: string
  readonly requestedBy: string | undefined
  readonly requested: string | undefined
}

/** The first page: what waits for the person, and the domains it administers. */
export const homePage = definePage({
  path: '/',
  async load({ zms, principal, pageSize }) {
    const [{ names }, roles, groups] = await Promise.all([
      zms.call('getDomainList', { roleMember: principal, roleName: 'admin' }),
      // Of people who were never a member of anything ZMS knows nothing.
      zms.find('getPendingDomainRoleMembersList', { principal }),
      zms.find('getPendingDomainGroupMembersList', { principal }),
    ])
    const waiting = [...(roles ? waitingRoles(roles) : []), ...(groups ? waitingGroups(groups) : [])]
    const domains = names ?? []
    const content = html`
<form method="get" action="/search" role="search" class="filter"><label for="q">Find a domain, role, group, principal, tag or account</label>
<input id="q" name="q" type="search" autocomplete="off"><button>Search</button></form>
<section aria-labelledby="waiting"><h2 id="waiting">Waiting for you${waiting.length > 0 && ` (${waiting.length})`}</h2>
${table({
  caption: 'Requests for membership that you may decide',
  head: ['Who', 'Wants to be in', 'Domain', 'Asked by', 'Since'],
  rows: waiting
    .slice(0, pageSize)
    .map(({ domain, kind, name, member, requestedBy, requested }) => [
      member,
      link(path`/domain/${domain}/${kind}/${name}`, `${kind} ${name}`),
      link(sectionPath(domain, ''), domain),
      requestedBy,
      time(requested),
    ]),
  empty: 'No requests wait for your decision.',
})}
<p><a href="/due">What is due: reviews, and memberships of yours that end</a></p></section>
<section aria-labelledby="domains"><h2 id="domains">Your domains${domains.length > 0 && ` (${domains.length})`}</h2>
${table({
  caption: 'Domains that you administer',
  head: ['Domain'],
  rows: domains.slice(0, pageSize).map((name) => [link(sectionPath(name, ''), name)]),
  empty: 'You administer no domain.',
})}
${domains.length > pageSize && html`<p>These are the first ${pageSize}; the search finds the others.</p>`}
<p><a href="/new-domain">Create a domain</a></p></section>`
    return { title: 'Home', content, commands: [['domain', 'list']] }
  },
})

const waitingRoles = ({ domainRoleMembersList: list }: DomainRoleMembership): Waiting[] =>
  list.flatMap(({ domainName, members }) =>
    (members ?? []).flatMap(({ memberName, memberRoles }) =>
      memberRoles.map(({ roleName, requestPrincipal, requestTime }) => ({
        domain: domainName,
        kind: 'role' as const,
        name: roleName,
        member: memberName,
        requestedBy: requestPrincipal,
        requested: requestTime,
      })),
    ),
  )

const waitingGroups = ({ domainGroupMembersList: list }: DomainGroupMembership): Waiting[] =>
  list.flatMap(({ domainName, members }) =>
    (members ?? []).flatMap(({ memberName, memberGroups }) =>
      memberGroups.map(({ groupName, requestPrincipal, requestTime }) => ({
        domain: domainName,
        kind: 'group' as const,
        name: groupName ?? '',
        member: memberName,
        requestedBy: requestPrincipal,
        requested: requestTime,
      })),
    ),
  )
