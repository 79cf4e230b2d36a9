import { pager } from '../components.ts'
import { dutyActions } from '../duty-actions.ts'
import { endingTable, requestTable, reviewTable, SOON_DAYS } from '../duty-tables.ts'
import { type Content, html } from '../html.ts'
import { definePage } from '../page.ts'

/** Fields of the query for the next parts of the requests and of the memberships; that of the reviews is `skip`. */
const [REQUESTS_SKIP, MEMBERSHIPS_SKIP] = ['requests', 'memberships']

/**
 * What is due: requests to decide, roles and groups to review, and memberships of the person that end, a part at a time.
 */
export const duePage = definePage({
  path: '/due',
  async load(request) {
    const { zms, query, pageSize: limit } = request
    const [requests, reviews, ending] = await Promise.all([
      zms.call('searchPendingRequests', { skip: query.text(REQUESTS_SKIP), limit }),
      zms.call('searchDueReviews', { skip: query.text('skip'), limit }),
      zms.call('searchEndingMemberships', { days: SOON_DAYS, skip: query.text(MEMBERSHIPS_SKIP), limit }),
    ])
    const content = html`
<section aria-labelledby="requests"><h2 id="requests">To decide${counted(requests.total)}</h2>
${requestTable(request, requests)}${pager(request, requests.next, { field: REQUESTS_SKIP, of: 'requests' })}</section>
<section aria-labelledby="reviews"><h2 id="reviews">To review${counted(reviews.total)}</h2>
${reviewTable(reviews)}${pager(request, reviews.next, { of: 'reviews' })}</section>
<section aria-labelledby="memberships"><h2 id="memberships">Memberships of yours that end${counted(ending.total)}</h2>
${endingTable(request, ending)}${pager(request, ending.next, { field: MEMBERSHIPS_SKIP, of: 'memberships' })}</section>`
    return { title: 'What is due', trail: [], content, commands: [['due']] }
  },
  actions: dutyActions,
})

const counted = (total: number): Content => total > 0 && ` (${total})`
