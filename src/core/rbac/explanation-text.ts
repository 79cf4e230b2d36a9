import { roleResourceName } from '../names/resource-name.ts'
import type { PolicyView } from './compiled-policies.ts'
import type { AccessQuestion, CredentialHolding, Refusal } from './evaluate.ts'
import type { Explanation } from './explain.ts'
import type { Remedy } from './explain-remedies.ts'
import type { AssertionStep, Miss, RoleStep } from './explain-trace.ts'
import type { Change } from './explain-trial.ts'
import type { Holding, Lapse } from './holding.ts'
import type { MemberEntry } from './members.ts'

const REFUSALS: Readonly<Record<Refusal, string>> = {
  'domain-disabled': 'the domain is disabled',
  'mtls-restricted': 'the certificate may only authenticate',
  'trust-domain-with-roles': 'a credential that names roles cannot be used with a trust domain',
  'role-of-other-domain': 'the credential names a role of another domain',
}

/** Controls, line ends, bidirectional overrides and the like: they must not forge lines of a terminal or log. */
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}]/gu

const AVOIDANCES: Readonly<Record<Refusal, string>> = {
  'domain-disabled': 'enable the domain',
  'mtls-restricted': 'use a certificate that may do more than authenticate',
  'trust-domain-with-roles': 'ask without a trust domain',
  'role-of-other-domain': 'use a credential without roles of other domains',
}

const MISSES: Readonly<Record<Miss, string>> = {
  version: 'a version that is not active',
  action: 'another action',
  resource: 'another resource',
  role: 'a role that is not held',
}

/** Roles that are told of; more are counted. */
const ROLES = 20

/**
 * An explanation for people, line by line: the answer and what made it, the roles held, and what came nearest and would
 * make it pass when access is not granted; invisible characters are spelled out. `policyName` names a policy of the
 * caller's type.
 */
export function explanationLines<P extends PolicyView>(
  explanation: Explanation<P>,
  policyName: (policy: P) => string,
): string[] {
  const { question, decision, roles, nearestMisses, remedies } = explanation
  const told = roles.slice(0, ROLES).map(roleText)
  const more = roles.length > told.length ? [`and ${roles.length - told.length} more roles`] : []
  return [
    verdictLine(explanation, policyName),
    ...(isRefused(decision) ? [] : roles.length === 0 ? ['holds no role of the domain'] : [...told, ...more]),
    ...nearestMisses.map((step) => `nearest: ${missText(step, policyName)}`),
    ...remedies.map((remedy) => `to make it pass: ${remedyLine(remedy, question, policyName)}`),
  ].map(visible)
}

/** The question and its answer in one line; invisible characters are spelled out. */
export function verdictLine<P extends PolicyView>(
  { question, domain, decision }: Explanation<P>,
  policyName: (policy: P) => string,
): string {
  const asked = `${question.principal.fullName} asks to ${question.action} ${question.resource}`
  return visible(`${asked} (domain ${domain}): ${verdictText(decision, policyName)}`)
}

/** A remedy in one line: what to do, and the assertion that then grants access; invisible characters are spelled out. */
export function remedyLine<P extends PolicyView>(
  { changes, by }: Remedy<P>,
  question: AccessQuestion,
  policyName: (policy: P) => string,
): string {
  const texts = changes.map((change) => changeText(change, question, policyName))
  const reason = by === undefined ? '' : ` (${assertionText(by.assertion, policyName(by.policy))})`
  return visible(texts.join(', and ') + reason)
}

/** The text with invisible characters spelled out, for a terminal or log. */
export function visible(text: string): string {
  return text.replace(INVISIBLE, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
}

type Settled<P extends PolicyView> = Explanation<P>['decision']
type Refused = { readonly outcome: 'deny'; readonly reason: Refusal }

function isRefused<P extends PolicyView>(decision: Settled<P>): decision is Settled<P> & Refused {
  return decision.outcome === 'deny' && decision.reason !== 'assertion'
}

function verdictText<P extends PolicyView>(decision: Settled<P>, policyName: (policy: P) => string): string {
  if (decision.outcome === 'no-match') return 'not granted, no assertion matches'
  if (isRefused(decision)) return `denied, ${REFUSALS[decision.reason]}`
  const { by } = decision
  const verdict = decision.outcome === 'allow' ? 'granted' : 'denied'
  return `${verdict} by ${assertionText(by.assertion, policyName(by.policy))} through role ${by.role}`
}

function assertionText(
  assertion: { role: string; action: string; resource: string; effect?: string | undefined },
  policy: string,
) {
  const { effect = 'ALLOW', role, action, resource } = assertion
  return `policy ${policy}: ${effect} ${role} ${action} ${resource}`
}

function roleText(step: RoleStep): string {
  if (step.holding !== undefined) return `holds role ${step.role}: ${holdingText(step.holding)}`
  return `does not hold role ${step.role}: ${step.lapses.map(lapseText).join(', ')}`
}

function holdingText(holding: Holding | CredentialHolding): string {
  switch (holding.via) {
    case 'direct':
      return 'a member'
    case 'wildcard':
      return `matches the member ${holding.entry.memberName}`
    case 'group':
      return `through group ${holding.group}`
    case 'credential':
      return 'named by the credential'
    default:
      return `delegated to domain ${holding.domain}, whose role ${holding.role} assumes it: ${holdingText(holding.within)}`
  }
}

function lapseText({ entry, group, state }: Lapse): string {
  const where = group === undefined ? '' : ` of group ${group}`
  if (state === 'pending') return `the request for ${entry.memberName}${where} is pending`
  return `the membership of ${entry.memberName}${where} ${state === 'expired' ? `expired${dateText(entry)}` : 'is disabled'}`
}

function dateText({ expiration = Number.NaN }: MemberEntry): string {
  const date = new Date(expiration)
  return Number.isNaN(date.getTime()) ? '' : ` on ${date.toISOString()}`
}

function missText<P extends PolicyView>(step: AssertionStep<P>, policyName: (policy: P) => string): string {
  const lacks = step.misses.map((miss) => {
    if (miss !== 'role' || step.role === 'not-held') return MISSES[miss]
    return step.role === 'lapsed' ? `role ${step.by?.role} has lapsed` : 'there is no such role'
  })
  return `${assertionText(step.assertion, policyName(step.policy))} (${lacks.join(', ')})`
}

function changeText<P extends PolicyView>(
  change: Change<P>,
  { principal: { fullName }, action, resource }: AccessQuestion,
  policyName: (policy: P) => string,
): string {
  switch (change.kind) {
    case 'add-member':
      return `add ${fullName} to role ${roleResourceName(change.domain, change.role)}`
    case 'remove-member':
      return `take ${fullName} out of role ${roleResourceName(change.domain, change.role)}`
    case 'renew-member':
      return `renew the membership of ${placeText(change.lapse)}`
    case 'enable-member':
      return `enable the membership of ${placeText(change.lapse)}`
    case 'approve-member':
      return `approve the pending request for ${placeText(change.lapse)}`
    case 'create-role':
      return `create ${roleName(change)} with ${fullName} as member`
    case 'add-assertion':
      return `let ${change.role === undefined ? 'it' : roleName(change)} ${action} ${resource}`
    case 'remove-assertion':
      return `remove from ${assertionText(change.assertion, policyName(change.policy))}`
    case 'activate-version':
      return `activate policy ${policyName(change.policy)}`
    case 'name-role':
      return `use a credential that names role ${change.role}`
    default:
      return AVOIDANCES[change.refusal]
  }
}

const roleName = ({ domain, role }: { domain: string; role: string | undefined }): string =>
  role === undefined ? 'a role' : `role ${roleResourceName(domain, role)}`

function placeText({ domain, role, group, entry }: Lapse): string {
  return `${entry.memberName} in ${group === undefined ? `role ${roleResourceName(domain, role)}` : `group ${group}`}`
}
