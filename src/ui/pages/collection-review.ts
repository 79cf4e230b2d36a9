import type { MemberSummary } from '#zms/api/collection-search.ts'
import { type CollectionCalls, groupCalls, membersAndAudit, roleCalls } from '../collection-calls.ts'
import { collectionPath, memberLabel, reviewDue, stateBadges } from '../collection-view.ts'
import { auditField, definitions, pager, postForm, table, time } from '../components.ts'
import { type Content, html } from '../html.ts'
import {
  type FormerMember,
  listText,
  needsApprovalToRemove,
  restoring,
  sentences,
  takingBack,
} from '../member-actions.ts'
import { definePage, FormProblem } from '../page.ts'
import { scopeOf } from './collection.ts'

/** Reviews the members of a role or group: all of a page in one form. */
const reviewPage = (calls: CollectionCalls) => {
  const { kind, section } = calls
  return definePage({
    path: `/domain/:domainName/${kind}/:name/review`,
    async load(request) {
      const { zms, params, query, pageSize, now, form, formAction } = request
      const { domainName, name } = params
      const { list, total, next, summary, audited } = await membersAndAudit(zms, calls, params, {
        skip: query.text('skip'),
        limit: pageSize,
      })
      const struckOut = new Set(formAction === undefined ? [] : form.list('remove'))
      const reviewed = list.filter(({ state }) => state !== 'pending')
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
          total > list.length ? `${reviewed.length} of ${total} members; the others are on other pages` : 'Members',
        head: ['Member', 'State', 'Ends', ...(kind === 'role' ? ['Review'] : []), 'Decision'],
        rows: reviewed.map(row),
        empty: 'There is nobody to review.',
      })
      const content = html`
<p>Whoever is to stay needs no tick: the dates of those who stay are renewed where the settings of this ${kind} limit them.
Those with a tick lose at once what this ${kind} grants.</p>
${definitions([
  ['Last reviewed', time(summary.lastReviewedDate)],
  ['To be reviewed', reviewDue(summary, now)],
])}
${
  reviewed.length === 0
    ? members
    : postForm(
        request,
        { action: 'review', submit: 'Finish the review of these' },
        members,
        auditField(request, audited),
      )
}${pager(request, next)}`
      const trail = [{ label: name, to: collectionPath(calls, params) }]
      return { title: 'Review', domain: domainName, section, trail, content }
    },
    actions: {
      async review(request) {
        const { form, params, target } = request
        const scope = scopeOf(request, calls)
        const struckOut = new Set(form.list('remove'))
        const members = form.list('member').map(formerOf)
        if (members.length === 0) throw new FormProblem('There is nobody to review.')
        const decisions = members.map(({ memberName }) => ({ memberName, active: !struckOut.has(memberName) }))
        await calls.review(scope.zms, params, decisions, scope.auditRef)
        const former = members.filter(({ memberName }) => struckOut.has(memberName))
        const names = former.map(({ memberName }) => memberName)
        const { summary } = await calls.members(scope.zms, params, { limit: 1 })
        const waits = needsApprovalToRemove(summary)
        const notice = [
          `Reviewed: ${members.length - former.length} stay.`,
          names.length > 0 && !waits && `Removed: ${listText(names)}.`,
          names.length > 0 && waits && `The removal waits for the approval of somebody else: ${listText(names)}.`,
        ]
        const undo = waits ? takingBack(scope, { added: [], requested: names }) : restoring(scope, former)
        const onFirstPage = !target.includes('?')
        return {
          to: onFirstPage ? collectionPath(calls, params) : target,
          notice: sentences(notice),
          ...(names.length > 0 && { undo }),
        }
      },
    },
  })
}

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
