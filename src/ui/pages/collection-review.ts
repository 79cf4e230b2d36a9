import type { MemberCounts, MemberSummary } from '#zms/api/collection-search.ts'
import {
  type CollectionCalls,
  type CollectionSummary,
  groupCalls,
  membersAndAudit,
  roleCalls,
} from '../collection-calls.ts'
import { collectionPath, memberLabel, reviewDue, stateBadges } from '../collection-view.ts'
import { auditField, definitions, link, postForm, table, time } from '../components.ts'
import type { Fields } from '../fields.ts'
import { type Content, html, withQuery } from '../html.ts'
import {
  type FormerMember,
  listText,
  needsApproval,
  needsApprovalToRemove,
  restoring,
  sentences,
  takingBack,
} from '../member-actions.ts'
import { definePage, FormProblem } from '../page.ts'
import { scopeOf } from './collection.ts'

/**
 * Reviews the members of a role or group: all of a page in one form. Where they do not fit on one page the review goes on
 * with the next part, and only the last part makes it a review of the whole.
 */
const reviewPage = (calls: CollectionCalls) => {
  const { kind, section } = calls
  return definePage({
    path: `/domain/:domainName/${kind}/:name/review`,
    async load(request) {
      const { zms, params, query, pageSize, now, form, formAction } = request
      const { domainName, name } = params
      const { part, skip, before, since } = progressOf(query)
      const asked = { skip, limit: pageSize }
      const { list, total, next, summary, audited } = await membersAndAudit(zms, calls, params, asked)
      const struckOut = new Set(formAction === undefined ? [] : form.list('remove'))
      const reviewed = list.filter(({ state }) => state !== 'pending')
      const parts = next === undefined ? part : part + Math.max(1, Math.ceil((total - before) / pageSize) - 1)
      const row = (member: MemberSummary): Content[] => [
        memberLabel(member.memberName),
        stateBadges(member),
        time(member.expiration),
        ...(kind === 'role' ? [time(member.reviewReminder)] : []),
        html`<input type="hidden" name="member" value="${formerText(member)}">
<label><input type="checkbox" name="remove" value="${member.memberName}" aria-label="Remove ${member.memberName}"${
          struckOut.has(member.memberName) && html` checked`
        }> Remove</label>`,
      ]
      const members = table({
        caption:
          parts > 1 ? `Part ${part} of ${parts}: ${reviewed.length} of ${memberTotal(summary)} members` : 'Members',
        head: ['Member', 'State', 'Ends', ...(kind === 'role' ? ['Review'] : []), 'Decision'],
        rows: reviewed.map(row),
        empty: 'There is nobody to review.',
      })
      const progress = { next, parts, rows: list.length, since: since ?? now }
      const again = link(collectionPath(calls, params, 'review'), 'Begin again')
      const content =
        summary.trust !== undefined
          ? html`<p>This role is delegated: the domain ${summary.trust} decides who is in it.</p>`
          : html`
<p>Whoever is to stay needs no tick: the dates of those who stay are renewed where the settings of this ${kind} limit them.
${
  needsApprovalToRemove(summary)
    ? 'Removals and new dates wait for the approval of somebody else.'
    : sentences([
        `Those with a tick lose at once what this ${kind} grants.`,
        needsApproval(summary) && 'New dates wait for the approval of somebody else.',
      ])
}</p>
${
  parts > 1 &&
  html`<p>This is part ${part} of ${parts}. The ${kind} counts as reviewed when the last part is done.${part > 1 && html` ${again}`}</p>`
}
${definitions([
  ['Last reviewed', time(summary.lastReviewedDate)],
  ['To be reviewed', reviewDue(summary, now)],
])}
${
  isOver(since, summary)
    ? html`<p>${overText(kind)} ${again}</p>`
    : postForm(
        request,
        {
          action: 'review',
          submit: next === undefined ? 'Finish the review of these' : 'Decide about these and go on',
        },
        Object.entries(progress).map(
          ([each, value]) => html`<input type="hidden" name="${each}" value="${value}">
`,
        ),
        members,
        auditField(request, audited),
      )
}`
      const trail = [{ label: name, to: collectionPath(calls, params) }]
      const commands = [[kind, 'review', domainName, name, '--remove', 'user.jane']]
      return { title: 'Review', domain: domainName, section, trail, content, commands }
    },
    actions: {
      async review(request) {
        const { form, params, query, zms } = request
        const scope = scopeOf(request, calls)
        const { part, before, since } = progressOf(query)
        const next = form.text('next')
        const struckOut = new Set(form.list('remove'))
        const members = form.list('member').map(formerOf)
        const { summary } = await calls.members(zms, params, { limit: 1 })
        if (isOver(since, summary)) throw new FormProblem(overText(kind))
        if (members.length === 0 && next === undefined && part === 1 && memberTotal(summary) > 0) {
          throw new FormProblem('Nobody was decided about. Look at the members again.')
        }
        const decisions = members.map(({ memberName }) => ({ memberName, active: !struckOut.has(memberName) }))
        const partial = next !== undefined
        if (!partial || decisions.length > 0) {
          await calls.review(zms, params, { members: decisions, partial }, scope.auditRef)
        }
        const [removed, stay] = [
          decisions.filter(({ active }) => !active),
          decisions.filter(({ active }) => active),
        ].map((each) => each.map(({ memberName }) => memberName)) as [string[], string[]]
        const removalWaits = removed.length > 0 && needsApprovalToRemove(summary)
        const renewalWaits =
          stay.length > 0 &&
          needsApproval(summary) &&
          (renews(summary) || renews(await zms.call('getDomain', { domain: params.domainName })))
        const parts = wholeNumber(form.text('parts')) ?? part
        const stays = `${stay.length} ${stay.length === 1 ? 'stays' : 'stay'}`
        const notice = [
          parts > 1 ? `Part ${part} of ${parts} is reviewed: ${stays}.` : `Reviewed: ${stays}.`,
          renewalWaits && 'Their new dates wait for the approval of somebody else.',
          removed.length > 0 && !removalWaits && `Removed: ${listText(removed)}.`,
          removalWaits && `The removal waits for the approval of somebody else: ${listText(removed)}.`,
          parts > 1 && !partial && `With this, the whole ${kind} is reviewed.`,
        ]
        const former = removalWaits ? [] : members.filter(({ memberName }) => struckOut.has(memberName))
        const requested = [...(removalWaits ? removed : []), ...(renewalWaits ? stay : [])]
        const rows = (wholeNumber(form.text('rows')) ?? 0) - former.length
        const rest = {
          skip: next,
          part: part + 1,
          before: before + rows,
          since: since ?? wholeNumber(form.text('since')) ?? request.now,
        }
        return {
          to: partial ? withQuery(collectionPath(calls, params, 'review'), rest) : collectionPath(calls, params),
          notice: sentences(notice),
          ...(former.length > 0
            ? { undo: restoring(scope, former) }
            : requested.length > 0 && { undo: takingBack(scope, { added: [], requested }) }),
        }
      },
    },
  })
}

/**
 * How far a review has come, as the query of its page says. Each part leads to the next one, and nothing else leads there:
 * whoever comes to the last part has decided about all before it.
 */
interface Progress {
  /** From 1. */
  readonly part: number
  /** Where the part begins: the `skip` of its members. */
  readonly skip?: string
  /** Rows of the parts before that are still there. */
  readonly before: number
  /** When the first part was shown, in epoch milliseconds; absent for the first part. */
  readonly since?: number
}

function progressOf(query: Fields): Progress {
  const skip = query.text('skip')
  const [part, before, since] = ['part', 'before', 'since'].map((name) => wholeNumber(query.text(name)))
  const isWhole = skip !== undefined && part !== undefined && before !== undefined && since !== undefined
  return isWhole && part > 1 ? { part, skip, before, since } : { part: 1, before: 0 }
}

const wholeNumber = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined

/** Whether the last review is a newer one: what was decided in earlier parts may be of long ago. */
const isOver = (since: number | undefined, { lastReviewedDate }: CollectionSummary): boolean =>
  since !== undefined && lastReviewedDate !== undefined && Date.parse(lastReviewedDate) > since

const overText = (kind: string): string =>
  `Somebody has finished a review of this ${kind} since this one began: nothing more is decided here.`

const memberTotal = ({ memberCounts: { active, expired, disabled } }: { readonly memberCounts: MemberCounts }) =>
  active + expired + disabled

const DAYS = [
  ...(['memberExpiryDays', 'serviceExpiryDays', 'groupExpiryDays'] as const),
  ...(['memberReviewDays', 'serviceReviewDays', 'groupReviewDays'] as const),
] as const

/** Whether these settings give members new dates at a review; where those of a role or group do not, its domain may. */
const renews = (settings: Readonly<Partial<Record<(typeof DAYS)[number], number | undefined>>>): boolean =>
  DAYS.some((name) => (settings[name] ?? 0) > 0)

/** A member as the form has it, so that a removal can be undone. */
const formerText = ({ memberName, expiration = '', reviewReminder = '' }: FormerMember): string =>
  `${memberName} ${expiration} ${reviewReminder}`

function formerOf(text: string): FormerMember {
  const [memberName = '', expiration, reviewReminder] = text.split(' ')
  return { memberName, expiration: expiration || undefined, reviewReminder: reviewReminder || undefined }
}

/** Reviews the members of a role. */
export const roleReviewPage = reviewPage(roleCalls)
/** Reviews the members of a group. */
export const groupReviewPage = reviewPage(groupCalls)
