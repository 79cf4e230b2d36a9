import type { MemberSummary } from '#zms/api/collection-search.ts'
import { type CollectionCalls, groupCalls, membersAndAudit, roleCalls } from '../collection-calls.ts'
import { collectionPath, memberLabel, stateBadges } from '../collection-view.ts'
import { auditField, definitions, postForm, textField, time } from '../components.ts'
import { askedFirst } from '../disclosure.ts'
import { type Content, type Html, html } from '../html.ts'
import { dayOf, dayText, decideRequests, REJECTION, readMember, removeMembers, restoring } from '../member-actions.ts'
import { definePage, FormProblem, type PageRequest } from '../page.ts'
import { scopeOf } from './collection.ts'

type MemberRequest = PageRequest<'domainName' | 'name' | 'memberName'>

/** One member of a role or group: its dates, its request, its removal. */
const memberPage = (calls: CollectionCalls) => {
  const { kind, section } = calls
  return definePage({
    path: `/domain/:domainName/${kind}/:name/member/:memberName`,
    async load(request) {
      const { zms, params } = request
      const { domainName, name, memberName } = params
      const { list, audited } = await membersAndAudit(zms, calls, params, { memberName, limit: 1 })
      const member = list[0]
      const place = collectionPath(calls, params)
      const frame = { title: memberName, domain: domainName, section, trail: [{ label: name, to: place }] }
      if (member === undefined) {
        const content = html`<p>${memberName} is no member of the ${kind} ${name}, and nobody asks for it.</p>
<p><a href="${place}">To the ${kind}</a></p>`
        return { ...frame, status: 404, content }
      }
      const content = html`${definitions([
        ['Member', memberLabel(memberName)],
        ['State', stateBadges(member)],
        ['Ends', time(member.expiration)],
        ['To be reviewed', time(member.reviewReminder)],
        ['Reason', member.auditRef],
        ['Added by', member.requestPrincipal],
      ])}
${member.request && decision(request, calls, member.request, audited)}
${member.state !== 'pending' && [dates(request, calls, member, audited), removal(request, calls, member, audited)]}`
      return {
        ...frame,
        content,
        commands: [
          [kind, 'add-member', domainName, name, memberName, '--until', '2030-01-31'],
          [kind, 'remove-member', domainName, name, memberName],
        ],
      }
    },
    actions: {
      save: (request) => save(calls, request),
      remove: (request) => removeMembers(scopeOf(request, calls), [request.params.memberName]),
      approve: (request) => decide(calls, request, true),
      reject: (request) => decide(calls, request, false),
      async withdraw(request) {
        const { zms, place, auditRef } = scopeOf(request, calls)
        await calls.deletePending(zms, place, request.params.memberName, auditRef)
        const notice = `The request for ${request.params.memberName} was withdrawn.`
        return { to: collectionPath(calls, request.params), notice }
      },
    },
  })
}

/** The dates as they were shown: who saves others than these would undo what somebody else has done. */
const shownDates = ({ expiration = '', reviewReminder = '' }: MemberSummary): string =>
  `${expiration} ${reviewReminder}`

const dates = (request: PageRequest, { kind }: CollectionCalls, member: MemberSummary, audited: boolean): Html => html`
<section aria-labelledby="dates"><h2 id="dates">Renew</h2>
${postForm(
  request,
  { action: 'save', submit: 'Save the dates' },
  html`<input type="hidden" name="was" value="${request.form.exact('was') ?? shownDates(member)}">`,
  textField(request, {
    name: 'expiration',
    label: 'Until',
    type: 'date',
    value: dayText(member.expiration),
    hint: 'empty: as the settings say; the day begins at midnight UTC',
  }),
  kind === 'role' &&
    textField(request, {
      name: 'reviewReminder',
      label: 'To be reviewed on',
      type: 'date',
      value: dayText(member.reviewReminder),
    }),
  auditField(request, audited, 'auditRef-save'),
)}</section>`

const removal = (
  request: PageRequest,
  { kind }: CollectionCalls,
  member: MemberSummary,
  audited: boolean,
): Html => html`
<section aria-labelledby="removal"><h2 id="removal">Remove</h2>
<p>${member.memberName} loses at once what this ${kind} grants.</p>
${postForm(
  request,
  { action: 'remove', submit: `Remove ${member.memberName}`, danger: true },
  auditField(request, audited, 'auditRef-remove'),
)}</section>`

function decision(
  request: MemberRequest,
  { kind }: CollectionCalls,
  asked: NonNullable<MemberSummary['request']>,
  audited: boolean,
): Html {
  const { memberName } = request.params
  const wish = asked.pendingState === 'DELETE' ? 'no member any more' : 'a member'
  const fields = (action: string): Content => [
    html`<input type="hidden" name="seen" value="${asked.requestTime}">`,
    auditField(request, audited, `auditRef-${action}`),
  ]
  const withdrawal = { action: 'withdraw', submit: 'Withdraw the request', danger: true }
  return html`<section aria-labelledby="request"><h2 id="request">Waiting for approval</h2>
<p>${asked.requestPrincipal ?? 'Somebody'} asks that ${memberName} be ${wish} of this ${kind}.</p>
${definitions([
  ['Asked', time(asked.requestTime)],
  ['Until', time(asked.expiration)],
  ['To be reviewed', time(asked.reviewReminder)],
  ['Reason', asked.auditRef],
])}
${postForm(request, { action: 'approve', submit: 'Approve' }, fields('approve'))}
${askedFirst(request, REJECTION, fields('reject'))}
${asked.requestPrincipal === request.principal && postForm(request, withdrawal, fields('withdraw'))}</section>`
}

async function save(calls: CollectionCalls, request: MemberRequest) {
  const { form, params, zms } = request
  const { memberName } = params
  const scope = scopeOf(request, calls)
  const { member } = await readMember(scope, memberName)
  const was = form.exact('was') ?? ''
  if (member === undefined || member.state === 'pending') {
    throw new FormProblem(`${memberName} was removed by somebody else meanwhile. Nothing has been changed.`)
  }
  if (was !== shownDates(member)) {
    const now = `until ${member.expiration ?? 'nobody says when'}, to be reviewed ${member.reviewReminder ?? 'never'}`
    throw new FormProblem(
      `Somebody else has changed the dates of ${memberName} meanwhile: ${now}. Nothing has been changed; open the page again to go on from there.`,
    )
  }
  const wanted = {
    expiration: sameDay(member.expiration, dayOf(form.text('expiration'), 'expiration', 'Until')),
    reviewReminder: sameDay(
      member.reviewReminder,
      dayOf(form.text('reviewReminder'), 'reviewReminder', 'To be reviewed on'),
    ),
  }
  const result = await calls.putMember(zms, params, memberName, wanted, scope.auditRef)
  const to = collectionPath(calls, params)
  if (result === 'requested')
    return { to, notice: `The new dates of ${memberName} wait for the approval of somebody else.` }
  return { to, notice: `The dates of ${memberName} were changed.`, undo: restoring(scope, [member]) }
}

/** A day that was not changed keeps its time. */
const sameDay = (was: string | undefined, now: string | undefined): string | undefined =>
  was !== undefined && dayText(was) === dayText(now) ? was : now

async function decide(calls: CollectionCalls, request: MemberRequest, approved: boolean) {
  const { memberName } = request.params
  await decideRequests(scopeOf(request, calls), [memberName], approved, { seen: request.form.text('seen') })
  const notice = `The request for ${memberName} was ${approved ? 'approved' : 'rejected'}.`
  return { to: collectionPath(calls, request.params), notice }
}

/** A member of a role. */
export const roleMemberPage = memberPage(roleCalls)
/** A member of a group. */
export const groupMemberPage = memberPage(groupCalls)
