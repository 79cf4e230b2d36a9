import { badge, link, pager, table, time } from '../components.ts'
import { type Content, html, path } from '../html.ts'
import { sectionPath } from '../layout.ts'
import { definePage } from '../page.ts'

/** Memberships that end later than this are not shown: they are no business of today. */
const SOON_DAYS = 30
/** Field of the query for the next part of the memberships; that of the reviews is `skip`. */
const MEMBERSHIPS_SKIP = 'memberships'

/** What is due: roles and groups to review, and memberships of the person that end, a part at a time. */
export const duePage = definePage({
  path: '/due',
  async load(request) {
    const { zms, now, query, pageSize: limit } = request
    const [reviews, ending] = await Promise.all([
      zms.call('searchDueReviews', { skip: query.text('skip'), limit }),
      zms.call('searchEndingMemberships', { days: SOON_DAYS, skip: query.text(MEMBERSHIPS_SKIP), limit }),
    ])
    const content = html`
<section aria-labelledby="review"><h2 id="review">To review${counted(reviews.total)}</h2>
${table({
  caption: 'Roles and groups whose members you have to review',
  head: ['Name', 'Domain', 'Due since', 'Last reviewed'],
  rows: reviews.list.map((review) => [
    ...placeCells(review),
    time(review.reviewDue),
    time(review.lastReviewedDate) ?? 'never',
  ]),
  empty: 'No role or group waits for a review of yours.',
})}${pager(request, reviews.next, { of: 'reviews' })}</section>
<section aria-labelledby="ending"><h2 id="ending">Memberships of yours that end${counted(ending.total)}</h2>
${table({
  caption: `Your memberships that have ended, or end within ${SOON_DAYS} days`,
  head: ['Name', 'Domain', 'Ends', ''],
  rows: ending.list.map((membership) => [
    ...placeCells(membership),
    time(membership.expiration),
    Date.parse(membership.expiration) <= now ? badge('expired', 'bad') : badge('ends soon', 'warn'),
  ]),
  empty: `None of your memberships ends within ${SOON_DAYS} days.`,
})}${pager(request, ending.next, { field: MEMBERSHIPS_SKIP, of: 'memberships' })}</section>`
    return { title: 'What is due', trail: [], content }
  },
})

const counted = (total: number): Content => total > 0 && ` (${total})`

/** A role or group, and its domain. */
const placeCells = ({ kind, domainName, name }: Record<'kind' | 'domainName' | 'name', string>): Content[] => [
  [`${kind} `, link(path`/domain/${domainName}/${kind}/${name}`, name)],
  link(sectionPath(domainName, ''), domainName),
]
