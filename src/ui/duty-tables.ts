import type { DutyRequests, DutyReviews, EndingMemberships } from '#zms/api/duty-search.ts'
import type { CollectionKind, CollectionPlace } from './collection-calls.ts'
import { collectionPath, memberPath } from './collection-view.ts'
import { badge, link, postForm, table, textField, time } from './components.ts'
import { counted } from './counted.ts'
import { askedFirst } from './disclosure.ts'
import { Fields } from './fields.ts'
import { type Content, type Html, html } from './html.ts'
import { sectionPath } from './layout.ts'
import { REJECTION } from './member-actions.ts'
import type { PageRequest } from './page.ts'

/** Memberships that end later than this are not shown: they are no business of today. */
export const SOON_DAYS = 30

type Asked = DutyRequests['list'][number]
type Ending = EndingMemberships['list'][number]

/** A role or group as the lists of duties name it. */
type DutyPlace = CollectionPlace & { readonly kind: string }

/** Requests for membership, each with the form that decides it. */
export const requestTable = (request: PageRequest, { list }: Pick<DutyRequests, 'list'>): Html =>
  table({
    caption: 'Requests for membership that you may decide',
    head: ['Who', 'Membership', 'Domain', 'Asked by', 'Since', 'Reason', ''],
    rows: list.map((asked, index) => [
      asked.memberName,
      [
        asked.pendingState === 'DELETE' && 'removal from ',
        link(collectionPath(kindOf(asked), asked), `${asked.kind} ${asked.name}`),
        asked.expiration !== undefined && [' until ', time(asked.expiration)],
      ],
      link(sectionPath(asked.domainName, ''), asked.domainName),
      asked.requestPrincipal,
      time(asked.requestTime),
      asked.auditRef,
      decision(request, asked, index),
    ]),
    empty: 'No requests wait for your decision.',
  })

/** Roles and groups to review. */
export const reviewTable = ({ list }: Pick<DutyReviews, 'list'>): Html =>
  table({
    caption: 'Roles and groups whose members you have to review',
    head: ['Name', 'Domain', 'Due since', 'Last reviewed', ''],
    rows: list.map((review) => [
      ...placeCells(review),
      time(review.reviewDue),
      time(review.lastReviewedDate) ?? 'never',
      html`<a href="${collectionPath(kindOf(review), review, 'review')}" aria-label="Review ${fullName(review)}">Review</a>`,
    ]),
    empty: 'No role or group waits for a review of yours.',
  })

/** Memberships of the person that end, each with the form that renews it where the person may. */
export const endingTable = (request: PageRequest, { list }: Pick<EndingMemberships, 'list'>): Html =>
  table({
    caption: `Your memberships that have ended, or end within ${SOON_DAYS} days`,
    head: ['Name', 'Domain', 'Ends', '', ''],
    rows: list.map((membership, index) => [
      ...placeCells(membership),
      time(membership.expiration),
      Date.parse(membership.expiration) <= request.now ? badge('expired', 'bad') : badge('ends soon', 'warn'),
      renewal(request, membership, index),
    ]),
    empty: `None of your memberships ends within ${SOON_DAYS} days.`,
  })

/** A role or group, and its domain. */
const placeCells = (place: DutyPlace): Content[] => [
  [`${place.kind} `, link(collectionPath(kindOf(place), place), place.name)],
  link(sectionPath(place.domainName, ''), place.domainName),
]

const kindOf = ({ kind }: DutyPlace): { readonly kind: CollectionKind } => ({ kind: kind === 'group' ? kind : 'role' })

const fullName = ({ domainName, kind, name }: DutyPlace): string => `${domainName}:${kind}.${name}`

/** The fields by which a form of these tables names its role or group, and member. */
const hidden = ({ kind, domainName, name }: DutyPlace, member: string): Html =>
  html`<input type="hidden" name="kind" value="${kind}"><input type="hidden" name="domain" value="${domainName}">
<input type="hidden" name="name" value="${name}"><input type="hidden" name="member" value="${member}">`

function decision(request: PageRequest, asked: Asked, index: number): Content {
  const { memberName, requestPrincipal, requestTime, pendingState, auditEnabled } = asked
  // ZMS has somebody else decide; on its page the request can be withdrawn.
  if ([memberName, requestPrincipal].includes(request.principal)) {
    return link(memberPath(kindOf(asked), asked, memberName), 'Your own request')
  }
  const what = `${pendingState === 'DELETE' ? 'the removal of ' : ''}${memberName} in ${fullName(asked)}`
  const shown = ofRow(request, asked, memberName)
  const fields = (action: string): Content => [
    hidden(asked, memberName),
    html`<input type="hidden" name="seen" value="${requestTime}">`,
    auditEnabled === true && reasonField(shown, `${action}-${index}`),
  ]
  const approval = { action: 'approve', submit: 'Approve', label: `Approve ${what}`, inline: true }
  return [
    postForm(shown, approval, fields('approve')),
    ' ',
    askedFirst(shown, { ...REJECTION, label: `Reject ${what}` }, fields('reject')),
  ]
}

function renewal(request: PageRequest, membership: Ending, index: number): Content {
  const { expiration, selfRenewMins, auditEnabled } = membership
  // Nobody renews to lose time.
  if (selfRenewMins === undefined || Date.parse(expiration) >= renewedUntil(request, selfRenewMins)) return undefined
  const shown = ofRow(request, membership, request.principal)
  const submit = `Renew for ${periodText(selfRenewMins)}`
  return postForm(
    shown,
    { action: 'renew', submit, label: `${submit}: ${fullName(membership)}`, inline: true },
    hidden(membership, request.principal),
    auditEnabled === true && reasonField(shown, `renew-${index}`),
  )
}

/** The reason that an audited domain wants, in a row. */
const reasonField = (request: PageRequest, id: string): Html =>
  textField(request, { name: 'auditRef', id, label: 'Reason (needed)', required: true, maxLength: 512 })

/** The end of a membership that its member renews now, in epoch milliseconds. */
export const renewedUntil = ({ now }: Pick<PageRequest, 'now'>, selfRenewMins: number): number =>
  now + selfRenewMins * 60_000

/** What was sent is shown again in the row that it was sent from alone. */
function ofRow(request: PageRequest, { kind, domainName, name }: DutyPlace, member: string): PageRequest {
  const { form } = request
  const sent = ['kind', 'domain', 'name', 'member'].map((field) => form.text(field))
  return sent.join(' ') === [kind, domainName, name, member].join(' ') ? request : { ...request, form: Fields.none }
}

const UNITS = [
  [1440, 'day'],
  [60, 'hour'],
] as const

function periodText(minutes: number): string {
  const [size, unit] = UNITS.find(([each]) => minutes % each === 0) ?? [1, 'minute']
  return counted(minutes / size, unit)
}
