import type { ReviewObject } from '#zms/api/review.ts'
import type { MemberRole } from '#zms/api/role-membership.ts'
import { badge, link, table, time } from '../components.ts'
import { type Content, html, path } from '../html.ts'
import { sectionPath } from '../layout.ts'
import { definePage } from '../page.ts'

const DAY_MILLIS = 86_400_000
/** Memberships that end later than this are not shown: they are no business of today. */
const SOON_DAYS = 30

/** What is due: roles and groups to review, and memberships of the person that end. */
export const duePage = definePage({
  path: '/due',
  async load({ zms, principal, now, pageSize }) {
    const [roles, groups, own] = await Promise.all([
      zms.find('getRolesForReview', { principal }),
      zms.find('getGroupsForReview', { principal }),
      zms.find('getPrincipalRoles', { principal }),
    ])
    const ending = (own?.memberRoles ?? [])
      .filter(({ expiration }) => expiration !== undefined && Date.parse(expiration) < now + SOON_DAYS * DAY_MILLIS)
      .toSorted((a, b) => Date.parse(a.expiration ?? '') - Date.parse(b.expiration ?? ''))
    const content = html`
${reviews('role', roles?.list ?? [], pageSize)}
${reviews('group', groups?.list ?? [], pageSize)}
<section aria-labelledby="ending"><h2 id="ending">Memberships of yours that end${ending.length > 0 && ` (${ending.length})`}</h2>
${table({
  caption: `Your memberships in roles that have ended, or end within ${SOON_DAYS} days`,
  head: ['Role', 'Domain', 'Ends', ''],
  rows: ending.slice(0, pageSize).map((role) => [...endingCells(role), stateOf(role, now)]),
  empty: `None of your memberships ends within ${SOON_DAYS} days.`,
})}</section>`
    return { title: 'What is due', trail: [], content }
  },
})

const reviews = (kind: 'role' | 'group', list: readonly ReviewObject[], pageSize: number): Content => html`
<section aria-labelledby="review-${kind}"><h2 id="review-${kind}">${kind === 'role' ? 'Roles' : 'Groups'} to review${
  list.length > 0 && ` (${list.length})`
}</h2>
${table({
  caption: `${kind === 'role' ? 'Roles' : 'Groups'} whose members you have to review`,
  head: ['Name', 'Domain', 'Last reviewed'],
  rows: list
    .slice(0, pageSize)
    .map(({ domainName, name, lastReviewedDate }) => [
      link(path`/domain/${domainName}/${kind}/${name}`, name),
      link(sectionPath(domainName, ''), domainName),
      time(lastReviewedDate) ?? 'never',
    ]),
  empty: `No ${kind} waits for a review of yours.`,
})}${list.length > pageSize && html`<p>These are the first ${pageSize}.</p>`}</section>`

const endingCells = ({ domainName = '', roleName, expiration }: MemberRole): Content[] => [
  link(path`/domain/${domainName}/role/${roleName}`, roleName),
  link(sectionPath(domainName, ''), domainName),
  time(expiration),
]

const stateOf = ({ expiration }: MemberRole, now: number): Content =>
  Date.parse(expiration ?? '') <= now ? badge('expired', 'bad') : badge('ends soon', 'warn')
