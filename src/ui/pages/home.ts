import { filterForm, link, pager, table } from '../components.ts'
import { dutyActions } from '../duty-actions.ts'
import { endingTable, requestTable, reviewTable, SOON_DAYS } from '../duty-tables.ts'
import { type Content, html } from '../html.ts'
import { sectionPath } from '../layout.ts'
import { definePage } from '../page.ts'

/** Rows of each list of what waits; all are on the page for that. */
const FEW = 10

/** The first page: the beginning of what waits for the person, and the domains it administers, a part at a time. */
export const homePage = definePage({
  path: '/',
  async load(request) {
    const { zms, query, pageSize: limit } = request
    const [filter, skip] = [query.text('filter'), query.text('skip')]
    const [domains, { requests, reviews, memberships }] = await Promise.all([
      zms.call('searchAdministeredDomains', { filter, skip, limit }),
      zms.call('getDuties', { limit: Math.min(limit, FEW), days: SOON_DAYS }),
    ])
    const waiting = requests.total + reviews.total + memberships.total
    const isPart = filter !== undefined || skip !== undefined || domains.next !== undefined
    const content = html`
<form method="get" action="/search" role="search" aria-label="Everything" class="filter"><label for="q">Find a domain, role, group, principal, tag or account</label>
<input id="q" name="q" type="search" autocomplete="off"><button>Search</button></form>
<section aria-labelledby="waiting"><h2 id="waiting">Waiting for you${waiting > 0 && ` (${waiting})`}</h2>
${requestTable(request, requests)}${more(requests, 'requests')}
${reviewTable(reviews)}${more(reviews, 'reviews')}
${endingTable(request, memberships)}${more(memberships, 'memberships')}</section>
<section aria-labelledby="domains"><h2 id="domains">Your domains</h2>
${isPart && filterForm(request, { name: 'filter', label: 'Find a domain of yours', placeholder: 'part of the name' })}
<div id="results">${table({
      caption: `Domains that you administer (${domains.total})`,
      head: ['Domain'],
      rows: domains.list.map((name) => [link(sectionPath(name, ''), name)]),
      empty: filter === undefined ? 'You administer no domain.' : 'No domain of yours fits.',
    })}${pager(request, domains.next, { of: 'domains' })}</div>
<p><a href="/new-domain">Create a domain</a></p></section>`
    return { title: 'Home', content, commands: [['due'], ['domain', 'list']] }
  },
  actions: dutyActions,
})

/** Where the rest of a list is. */
const more = ({ total, next }: { readonly total: number; readonly next?: string | undefined }, of: string): Content =>
  next !== undefined && html`<p><a href="/due#${of}">All ${total} ${of}</a></p>`
