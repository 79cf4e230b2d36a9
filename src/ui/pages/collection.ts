import type { MemberSummary } from '#zms/api/collection-search.ts'
import {
  type CollectionCalls,
  type CollectionPlace,
  type CollectionSummary,
  groupCalls,
  type MembersPart,
  membersAndAudit,
  roleCalls,
} from '../collection-calls.ts'
import {
  collectionPath,
  countBadges,
  memberLabel,
  memberPath,
  reviewDue,
  settingBadges,
  stateBadges,
  tagLinks,
} from '../collection-view.ts'
import {
  auditField,
  definitions,
  filterForm,
  pager,
  postForm,
  table,
  textArea,
  textField,
  time,
} from '../components.ts'
import { askedFirst, disclosure } from '../disclosure.ts'
import { type Content, type Html, html, withQuery } from '../html.ts'
import {
  byResult,
  dayOf,
  decideRequests,
  forEachMember,
  listText,
  type MemberScope,
  memberReader,
  REJECTION,
  restoreMembers,
  sentences,
  takingBack,
} from '../member-actions.ts'
import { definePage, FormProblem, type Outcome, type PageRequest } from '../page.ts'

const STATES = [
  ['', 'All'],
  ['active', 'Active'],
  ['expired', 'Expired'],
  ['disabled', 'Disabled'],
  ['pending', 'Waiting for approval'],
  ['overdue', 'Review overdue'],
] as const

/** A role or a group with its members, a part at a time. */
const collectionPage = (calls: CollectionCalls) => {
  const { kind, section } = calls
  return definePage({
    path: `/domain/:domainName/${kind}/:name`,
    async load(request) {
      const { zms, params, query, pageSize } = request
      const { domainName, name } = params
      const asked = { filter: query.text('filter'), state: query.text('state'), skip: query.text('skip') }
      const expand = query.text('expand') === 'true'
      const { audited, ...part } = await membersAndAudit(zms, calls, params, { ...asked, expand, limit: pageSize })
      const { trust } = part.summary
      const content = html`
${overview(request, calls, params, part.summary)}
<section aria-labelledby="members"><h2 id="members">Members</h2>
${choices(request, calls, params, part.summary, expand)}
${filterForm(request, { name: 'filter', label: 'Find a member', placeholder: 'part of the name', keep: ['state', 'expand'] })}
<div id="results">${members(request, calls, params, part, audited)}${pager(request, part.next)}</div>
${
  trust === undefined
    ? disclosure(request, { summary: 'Add members', actions: ['add'] }, addition(request, calls, audited))
    : html`<p>This role is delegated: the domain ${trust} decides who is in it.</p>`
}</section>
<p><a href="${collectionPath(calls, params, 'delete')}">Delete this ${kind}</a></p>`
      return {
        title: name,
        domain: domainName,
        section,
        content,
        commands: [
          [kind, 'get', domainName, name],
          [kind, 'add-member', domainName, name, 'user.jane', '--until', '2030-01-31'],
          [kind, 'remove-member', domainName, name, 'user.jane'],
        ],
      }
    },
    actions: {
      add: (request) => add(scopeOf(request, calls), request),
      restore: (request) => restoreMembers(scopeOf(request, calls), request.form.exact('members') ?? ''),
      'take-back': (request) => takeBack(scopeOf(request, calls), request),
      approve: (request) => decide(scopeOf(request, calls), request, true),
      reject: (request) => decide(scopeOf(request, calls), request, false),
    },
  })
}

/** What an action on a role or group has to do with. */
export const scopeOf = (
  { zms, params, form }: PageRequest<'domainName' | 'name'>,
  calls: CollectionCalls,
): MemberScope => ({ zms, calls, place: params, auditRef: form.text('auditRef') })

const overview = (
  { now }: PageRequest,
  calls: CollectionCalls,
  place: CollectionPlace,
  summary: CollectionSummary,
): Html => html`
${summary.description && html`<p>${summary.description}</p>`}
<p>${settingBadges(summary)}</p>
${definitions([
  ['Members', summary.trust === undefined && countBadges(summary.memberCounts)],
  ['People stay for days', summary.memberExpiryDays],
  ['Services stay for days', summary.serviceExpiryDays],
  ['Groups stay for days', summary.groupExpiryDays],
  ['Members need', summary.userAuthorityFilter],
  ['At most', summary.maxMembers],
  ['Last reviewed', time(summary.lastReviewedDate)],
  ['To be reviewed', reviewDue(summary, now)],
  ['Tags', Object.keys(summary.tags ?? {}).length > 0 && tagLinks(place.domainName, calls, summary)],
  ['Last change', time(summary.modified)],
])}
<nav class="pager" aria-label="More of this ${calls.kind}"><a href="${collectionPath(calls, place, 'settings')}">Settings and tags</a>
<a href="${collectionPath(calls, place, 'history')}">History of members</a>
${summary.trust === undefined && html`<a href="${collectionPath(calls, place, 'review')}">Review the members</a>`}</nav>`

/** Which members are shown. */
function choices(
  { query }: PageRequest,
  calls: CollectionCalls,
  place: CollectionPlace,
  { trust, memberCounts }: CollectionSummary,
  expand: boolean,
): Html {
  const to = (state: string | undefined, expanded: boolean) =>
    withQuery(collectionPath(calls, place), {
      filter: query.text('filter'),
      state,
      expand: expanded ? 'true' : undefined,
    })
  const current = query.text('state') ?? ''
  const counts = new Map(Object.entries(memberCounts))
  return html`<nav class="pager" aria-label="Which members">${STATES.map(([state, label]) => {
    const count = counts.get(state)
    return html`<a href="${to(state, expand)}"${state === current && html` aria-current="true"`}>${label}${
      count !== undefined && !expand && ` (${count})`
    }</a> `
  })}${
    calls.kind === 'role' &&
    (expand
      ? html`<a href="${to(current, false)}">Own members only</a>`
      : html`<a href="${to(current, true)}">${
          trust === undefined ? 'Everybody, through groups, too' : `Who has it through ${trust}`
        }</a>`)
  }</nav>`
}

function members(
  request: PageRequest,
  calls: CollectionCalls,
  place: CollectionPlace,
  { list, total, summary }: MembersPart,
  audited: boolean,
): Content {
  const delegated = summary.trust !== undefined
  const rows = list.map((member): Content[] => [
    [
      member.direct &&
        html`<input type="checkbox" form="selection" name="member" value="${member.memberName}" aria-label="Select ${member.memberName}"> `,
      memberLabel(member.memberName),
    ],
    stateBadges(member),
    time(member.expiration ?? member.request?.expiration),
    ...(calls.kind === 'role' ? [time(member.reviewReminder ?? member.request?.reviewReminder)] : []),
    member.auditRef ?? member.request?.auditRef,
    member.direct && !delegated && rowActions(request, calls, place, member, audited),
  ])
  return [
    table({
      caption: total === 1 ? 'One member' : `${total} members`,
      head: ['Member', 'State', 'Ends', ...(calls.kind === 'role' ? ['Review'] : []), 'Reason', ''],
      rows,
      empty: delegated ? 'This role has no members of its own.' : 'There are none.',
    }),
    list.some(({ direct }) => direct) &&
      !delegated &&
      html`<form id="selection" method="get" action="${collectionPath(calls, place, 'members')}" class="filter">
<input type="hidden" name="shown" value="${new Date(request.now).toISOString()}"><button>Change the selected</button></form>`,
  ]
}

/** What can be done with one member at once; what needs a reason is done on a page of its own. */
function rowActions(
  request: PageRequest,
  calls: CollectionCalls,
  place: CollectionPlace,
  { memberName, request: asked }: MemberSummary,
  audited: boolean,
): Content {
  const change = html`<a href="${memberPath(calls, place, memberName)}" aria-label="Change ${memberName}">Change</a>`
  if (asked === undefined || audited) return change
  const fields = html`<input type="hidden" name="member" value="${memberName}"><input type="hidden" name="seen" value="${asked.requestTime}">`
  const approve = { action: 'approve', submit: 'Approve', inline: true, label: `Approve ${memberName}` }
  const rejection = { ...REJECTION, label: `Reject ${memberName}` }
  return [postForm(request, approve, fields), ' ', askedFirst(request, rejection, fields), ' ', change]
}

const addition = (request: PageRequest, { kind }: CollectionCalls, audited: boolean): Html =>
  postForm(
    request,
    { action: 'add', submit: 'Add' },
    textArea(request, {
      name: 'member',
      label: 'Who',
      required: true,
      hint: `one in a line, such as user.jane${kind === 'role' ? ', sports.api or sports:group.team' : ' or sports.api'}`,
    }),
    textField(request, {
      name: 'expiration',
      label: 'Until',
      type: 'date',
      hint: 'empty: as the settings say; the day begins at midnight UTC',
    }),
    kind === 'role' && textField(request, { name: 'reviewReminder', label: 'To be reviewed on', type: 'date' }),
    auditField(request, audited),
  )

async function add(scope: MemberScope, { form, now }: PageRequest<'domainName' | 'name'>): Promise<Outcome> {
  const { zms, calls, place, auditRef } = scope
  const names = [...new Set((form.text('member') ?? '').toLowerCase().split(/[\s,]+/))].filter((each) => each !== '')
  if (names.length === 0) throw new FormProblem('Write who is to be a member.', 'member')
  const expiration = dayOf(form.text('expiration'), 'expiration', 'Until')
  if (expiration !== undefined && Date.parse(expiration) <= now) {
    throw new FormProblem('Until: this day has begun already.', 'expiration')
  }
  const dates = {
    expiration,
    reviewReminder: dayOf(form.text('reviewReminder'), 'reviewReminder', 'To be reviewed on'),
  }
  const read = await memberReader(scope, names)
  const results = await forEachMember(names, async (memberName) => {
    const { member: known } = await read(memberName)
    if (known !== undefined && known.state !== 'pending') {
      throw new FormProblem(`${memberName} is a member already; its dates are changed on its own page.`, 'member')
    }
    return calls.putMember(zms, place, memberName, dates, auditRef)
  })
  const [added, requested] = byResult(names, results)
  const notice = [
    added.length > 0 && `Added: ${listText(added)}.`,
    requested.length > 0 && `Waiting for the approval of somebody else: ${listText(requested)}.`,
  ]
  return { to: collectionPath(calls, place), notice: sentences(notice), undo: takingBack(scope, { added, requested }) }
}

async function takeBack(
  { zms, calls, place, auditRef }: MemberScope,
  { form }: PageRequest<'domainName' | 'name'>,
): Promise<Outcome> {
  const names = (field: string) => (form.exact(field) ?? '').split(/\s+/).filter((each) => each !== '')
  const [added, requested] = [names('added'), names('requested')]
  await forEachMember(added, (memberName) => calls.deleteMember(zms, place, memberName, auditRef))
  await forEachMember(requested, (memberName) => calls.deletePending(zms, place, memberName, auditRef))
  return { to: collectionPath(calls, place), notice: `Taken back: ${listText([...added, ...requested])}.` }
}

async function decide(
  scope: MemberScope,
  { form }: PageRequest<'domainName' | 'name'>,
  approved: boolean,
): Promise<Outcome> {
  const names = form.list('member')
  if (names.length === 0) throw new FormProblem('Choose a request first.', 'member')
  await decideRequests(scope, names, approved, { seen: form.text('seen') })
  return {
    to: collectionPath(scope.calls, scope.place),
    notice: `${approved ? 'Approved' : 'Rejected'}: ${listText(names)}.`,
  }
}

/** A role with its members. */
export const rolePage = collectionPage(roleCalls)
/** A group with its members. */
export const groupPage = collectionPage(groupCalls)
