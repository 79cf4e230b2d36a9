import type { DutyRequests } from '#zms/api/duty-search.ts'
import { filterForm, link, pager, table, time } from '../components.ts'
import { type Content, html, path } from '../html.ts'
import { sectionPath } from '../layout.ts'
import { definePage } from '../page.ts'

/** Field of the query for the next part of the requests; that of the domains is `skip`. */
const REQUESTS_SKIP = 'requests'

/** The first page: what waits for the person, and the domains it administers, a part at a time. */
export const homePage = definePage({
  path: '/',
  async load(request) {
    const { zms, query, pageSize: limit } = request
    const [filter, skip] = [query.text('filter'), query.text('skip')]
    const [domains, waiting] = await Promise.all([
      zms.call('searchAdministeredDomains', { filter, skip, limit }),
      zms.call('searchPendingRequests', { skip: query.text(REQUESTS_SKIP), limit }),
    ])
    const isPart = filter !== undefined || skip !== undefined || domains.next !== undefined
    const content = html`
<form method="get" action="/search" role="search" aria-label="Everything" class="filter"><label for="q">Find a domain, role, group, principal, tag or account</label>
<input id="q" name="q" type="search" autocomplete="off"><button>Search</button></form>
<section aria-labelledby="waiting"><h2 id="waiting">Waiting for you${waiting.total > 0 && ` (${waiting.total})`}</h2>
${table({
  caption: 'Requests for membership that you may decide',
  head: ['Who', 'Membership', 'Domain', 'Asked by', 'Since'],
  rows: waiting.list.map(requestCells),
  empty: 'No requests wait for your decision.',
})}${pager(request, waiting.next, { field: REQUESTS_SKIP, of: 'requests' })}
<p><a href="/due">What is due: reviews, and memberships of yours that end</a></p></section>
<section aria-labelledby="domains"><h2 id="domains">Your domains</h2>
${isPart && filterForm(request, { name: 'filter', label: 'Find a domain of yours', placeholder: 'part of the name' })}
<div id="results">${table({
      caption: `Domains that you administer (${domains.total})`,
      head: ['Domain'],
      rows: domains.list.map((name) => [link(sectionPath(name, ''), name)]),
      empty: filter === undefined ? 'You administer no domain.' : 'No domain of yours fits.',
    })}${pager(request, domains.next, { of: 'domains' })}</div>
<p><a href="/new-domain">Create a domain</a></p></section>`
    return { title: 'Home', content, commands: [['domain', 'list']] }
  },
})

const requestCells = (asked: DutyRequests['list'][number]): Content[] => {
  const { kind, domainName, name, memberName, pendingState, requestPrincipal, requestTime } = asked
  return [
    memberName,
    [
      pendingState === 'DELETE' && 'removal from ',
      link(path`/domain/${domainName}/${kind}/${name}`, `${kind} ${name}`),
    ],
    link(sectionPath(domainName, ''), domainName),
    requestPrincipal,
    time(requestTime),
  ]
}
