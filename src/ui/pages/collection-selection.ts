import { type CollectionCalls, groupCalls, membersAndAudit, roleCalls } from '../collection-calls.ts'
import { collectionPath } from '../collection-view.ts'
import { auditField, postForm, textField } from '../components.ts'
import { askedFirst } from '../disclosure.ts'
import { type Content, type Html, html } from '../html.ts'
import {
  dayOf,
  decideRequests,
  forEachMember,
  listText,
  type MemberScope,
  memberReader,
  REJECTION,
  removeMembers,
  restoring,
  sentences,
} from '../member-actions.ts'
import { definePage, FormProblem, type Outcome, type PageRequest } from '../page.ts'
import { scopeOf } from './collection.ts'

/** Several members of a role or group that were chosen in the list: what is to become of them is asked once for all. */
const selectionPage = (calls: CollectionCalls) => {
  const { kind, section } = calls
  return definePage({
    path: `/domain/:domainName/${kind}/:name/members`,
    async load(request) {
      const { zms, params, query } = request
      const { domainName, name } = params
      const names = [...new Set(query.list('member'))]
      const { audited } = await membersAndAudit(zms, calls, params, { limit: 1 })
      const place = collectionPath(calls, params)
      const content =
        names.length === 0
          ? html`<p>Nobody was chosen. <a href="${place}">Back to the ${kind}</a></p>`
          : html`<p>Chosen:</p><ul>${names.map((each) => html`<li>${each}</li>`)}</ul>
${forms(request, calls, names, audited)}
<p><a href="${place}">Back without a change</a></p>`
      const trail = [{ label: name, to: place }]
      const title = names.length === 1 ? 'One member' : `${names.length} members`
      const commands = names.length > 0 ? [[kind, 'remove-member', domainName, name, ...names]] : []
      return { title, domain: domainName, section, trail, content, commands }
    },
    actions: {
      renew: (request) => renew(scopeOf(request, calls), request),
      remove: (request) => removeMembers(scopeOf(request, calls), chosen(request)),
      approve: (request) => decide(scopeOf(request, calls), request, true),
      reject: (request) => decide(scopeOf(request, calls), request, false),
    },
  })
}

function forms(request: PageRequest, { kind }: CollectionCalls, names: readonly string[], audited: boolean): Html {
  const fields = names.map((each) => html`<input type="hidden" name="member" value="${each}">`)
  const audit = (action: string) => auditField(request, audited, `auditRef-${action}`)
  const shown = html`<input type="hidden" name="shown" value="${request.query.text('shown')}">`
  const form = (action: string, submit: string, danger: boolean, ...content: Content[]) =>
    postForm(request, { action, submit, danger }, fields, ...content, audit(action))
  const rejection = { ...REJECTION, submit: names.length === 1 ? 'Reject it' : `Reject these ${names.length}` }
  const date = (name: string, label: string) =>
    textField(request, { name, label, type: 'date', hint: 'empty: as the settings say' })
  return html`<section aria-labelledby="renew"><h2 id="renew">Renew</h2>
${form('renew', 'Renew', false, date('expiration', 'Until'), kind === 'role' && date('reviewReminder', 'To be reviewed on'))}</section>
<section aria-labelledby="requests"><h2 id="requests">Requests that wait</h2>
${form('approve', 'Approve', false, shown)}
${askedFirst(request, rejection, fields, shown, audit('reject'))}</section>
<section aria-labelledby="remove"><h2 id="remove">Remove</h2>
<p>They lose at once what this ${kind} grants.</p>
${form('remove', names.length === 1 ? 'Remove this member' : `Remove these ${names.length} members`, true)}</section>`
}

function chosen({ form }: PageRequest): string[] {
  const names = [...new Set(form.list('member'))]
  if (names.length === 0) throw new FormProblem('Nobody was chosen.', 'member')
  return names
}

async function renew(scope: MemberScope, request: PageRequest<'domainName' | 'name'>): Promise<Outcome> {
  const { zms, calls, place, auditRef } = scope
  const names = chosen(request)
  const expiration = dayOf(request.form.text('expiration'), 'expiration', 'Until')
  const reviewReminder = dayOf(request.form.text('reviewReminder'), 'reviewReminder', 'To be reviewed on')
  const read = await memberReader(scope, names)
  const renewed = await forEachMember(names, async (memberName) => {
    const { member } = await read(memberName)
    if (member === undefined || member.state === 'pending') {
      throw new FormProblem(`${memberName} is no member: only members are renewed.`, 'member')
    }
    const result = await calls.putMember(zms, place, memberName, { expiration, reviewReminder }, auditRef)
    return { member, result }
  })
  const former = renewed.filter(({ result }) => result === 'member').map(({ member }) => member)
  const requested = renewed.filter(({ result }) => result === 'requested').map(({ member }) => member.memberName)
  const notice = [
    former.length > 0 && `Renewed: ${listText(former.map(({ memberName }) => memberName))}.`,
    requested.length > 0 && `Waiting for the approval of somebody else: ${listText(requested)}.`,
  ]
  return {
    to: collectionPath(calls, place),
    notice: sentences(notice),
    ...(former.length > 0 && { undo: restoring(scope, former) }),
  }
}

async function decide(
  scope: MemberScope,
  request: PageRequest<'domainName' | 'name'>,
  approved: boolean,
): Promise<Outcome> {
  const names = chosen(request)
  await decideRequests(scope, names, approved, { shown: request.form.text('shown') })
  const notice = `${approved ? 'Approved' : 'Rejected'}: ${listText(names)}.`
  return { to: collectionPath(scope.calls, scope.place), notice }
}

/** Several members of a role. */
export const roleSelectionPage = selectionPage(roleCalls)
/** Several members of a group. */
export const groupSelectionPage = selectionPage(groupCalls)
