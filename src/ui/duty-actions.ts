import { groupCalls, roleCalls } from './collection-calls.ts'
import { renewedUntil } from './duty-tables.ts'
import { decideRequests, type MemberScope, readMember } from './member-actions.ts'
import { type Action, FormProblem, type Outcome, type PageRequest } from './page.ts'

/** What the forms of the lists of duties do; they lead back to the page that has the list. */
export const dutyActions: Readonly<Record<'approve' | 'reject' | 'renew', Action>> = {
  approve: (request) => decide(request, true),
  reject: (request) => decide(request, false),
  renew,
}

async function decide(request: PageRequest, approved: boolean): Promise<Outcome> {
  const { form, target } = request
  const scope = scopeIn(request)
  const memberName = form.text('member')
  if (memberName === undefined) throw new FormProblem('The form names no member.', 'member')
  await decideRequests(scope, [memberName], approved, { seen: form.text('seen') })
  return { to: target, notice: `${approved ? 'Approved' : 'Rejected'}: ${memberName} for ${placeText(scope)}.` }
}

/** Renews the membership of the person itself, for as long as the role or group lets members do that. */
async function renew(request: PageRequest): Promise<Outcome> {
  const { principal, target } = request
  const scope = scopeIn(request)
  const { zms, calls, place, auditRef } = scope
  const { member, summary } = await readMember(scope, principal)
  if (member === undefined || member.state === 'pending') {
    throw new FormProblem(`You are no member of the ${placeText(scope)} any more, so there is nothing to renew.`)
  }
  const { selfRenew, selfRenewMins = 0 } = summary
  if (selfRenew !== true || selfRenewMins <= 0) {
    throw new FormProblem(`Members of the ${placeText(scope)} may not renew themselves any more.`)
  }
  const until = renewedUntil(request, selfRenewMins)
  if (member.expiration === undefined || Date.parse(member.expiration) >= until) {
    throw new FormProblem(`Your membership in the ${placeText(scope)} lasts longer already. Nothing has been changed.`)
  }
  // Whoever administers the role could go without the date, and would stay for ever.
  const dates = { expiration: new Date(until).toISOString(), reviewReminder: member.reviewReminder }
  const result = await calls.putMember(zms, place, principal, dates, auditRef)
  const done = result === 'member' ? 'Renewed' : 'Waiting for the approval of somebody else'
  return { to: target, notice: `${done}: your membership in the ${placeText(scope)}.` }
}

const placeText = ({ calls, place }: MemberScope): string => `${calls.kind} ${place.name} of ${place.domainName}`

function scopeIn({ zms, form }: PageRequest): MemberScope {
  const calls = [roleCalls, groupCalls].find(({ kind }) => kind === form.text('kind'))
  const [domainName, name] = [form.text('domain'), form.text('name')]
  if (calls === undefined || domainName === undefined || name === undefined) {
    throw new FormProblem('The form names no role or group.')
  }
  return { zms, calls, place: { domainName, name }, auditRef: form.text('auditRef') }
}
