import type { MemberCounts, MemberSummary } from '#zms/api/collection-search.ts'
import type { CollectionCalls, CollectionPlace, CollectionSummary } from './collection-calls.ts'
import { badge, link, time } from './components.ts'
import { type Content, html, path, withQuery } from './html.ts'
import { sectionPath } from './layout.ts'

/** Where the page of a role or group is, and those below it. */
export const collectionPath = (
  { kind }: Pick<CollectionCalls, 'kind'>,
  { domainName, name }: CollectionPlace,
  below?: 'delete' | 'history' | 'members' | 'review' | 'settings',
): string => path`/domain/${domainName}/${kind}/${name}` + (below === undefined ? '' : `/${below}`)

/** Where one member of it is. */
export const memberPath = (calls: Pick<CollectionCalls, 'kind'>, place: CollectionPlace, memberName: string): string =>
  collectionPath(calls, place) + path`/member/${memberName}`

/** The local name of a role or group. */
export const localName = ({ kind }: Pick<CollectionCalls, 'kind'>, { name }: CollectionSummary): string =>
  name.slice(name.indexOf(`:${kind}.`) + kind.length + 2)

/** How many members there are by how they stand, with those that need attention as badges. */
export const countBadges = ({ active, expired, disabled, pending, overdue }: MemberCounts): Content => [
  `${active} `,
  pending > 0 && html`${badge(`${pending} waiting`, 'warn')} `,
  expired > 0 && html`${badge(`${expired} expired`, 'bad')} `,
  disabled > 0 && html`${badge(`${disabled} disabled`, 'bad')} `,
  overdue > 0 && html`${badge(`${overdue} overdue`, 'warn')} `,
]

/** What is special about a role or group. */
export const settingBadges = (summary: CollectionSummary): Content =>
  [
    summary.trust !== undefined &&
      html`${badge('delegated')} to ${link(sectionPath(summary.trust, ''), summary.trust)}`,
    summary.selfServe && badge('self-serve'),
    summary.selfRenew && badge('self-renew'),
    summary.reviewEnabled && badge('needs approval', 'warn'),
    summary.auditEnabled && badge('audited', 'warn'),
    summary.deleteProtection && badge('removals need approval', 'warn'),
  ].map((each) => each !== undefined && each !== false && html`${each} `)

/** The tags of a role or group; each leads to all that have it. */
export const tagLinks = (domainName: string, { section }: CollectionCalls, { tags = {} }: CollectionSummary): Content =>
  Object.entries(tags).flatMap(([tagKey, { list }]) =>
    list.map((tagValue) => [
      link(withQuery(sectionPath(domainName, section), { tagKey, tagValue }), `${tagKey}=${tagValue}`),
      ' ',
    ]),
  )

/** When the members are to be reviewed. */
export const reviewDue = ({ reviewDue: due }: CollectionSummary, now: number): Content =>
  due !== undefined && [time(due), Date.parse(due) <= now && html` ${badge('due', 'warn')}`]

/** How a membership stands, and through what it comes. */
export const stateBadges = (member: MemberSummary): Content => {
  const { state, disabledBy = [], overdue, request, direct, through = [] } = member
  return [
    state === 'active' && badge('active', 'good'),
    state === 'expired' && badge('expired', 'bad'),
    state === 'disabled' && badge(`disabled by ${disabledBy.join(', ')}`, 'bad'),
    overdue && html` ${badge('review overdue', 'warn')}`,
    request && html` ${badge(request.pendingState === 'DELETE' ? 'removal requested' : requested(state), 'warn')}`,
    !direct && through.length > 0 && html` through ${through.map((each, at) => [at > 0 && ', ', resourceLink(each)])}`,
    direct &&
      through.length > 0 &&
      html` and through ${through.map((each, at) => [at > 0 && ', ', resourceLink(each)])}`,
  ]
}

const requested = (state: string): string => (state === 'pending' ? 'waiting for approval' : 'change requested')

/** A member by name; groups lead to their page. */
export const memberLabel = (memberName: string): Content =>
  memberName.includes(':group.') ? resourceLink(memberName) : memberName

/** A full name of a role or group, which leads there. */
function resourceLink(fullName: string): Content {
  for (const kind of ['role', 'group'] as const) {
    const at = fullName.indexOf(`:${kind}.`)
    if (at <= 0) continue
    const place = { domainName: fullName.slice(0, at), name: fullName.slice(at + kind.length + 2) }
    return link(collectionPath({ kind }, place), fullName)
  }
  return fullName
}
