import type { PolicyView } from './compiled-policies.ts'
import type { CredentialHolding, Refusal } from './evaluate.ts'
import type { AssertionStep, Explanation, Miss, RoleStep } from './explain.ts'
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

const MISSES: Readonly<Record<Miss, string>> = {
  action: 'another action',
  resource: 'another resource',
  role: 'a role that is not held',
}

/**
 * An explanation for people, line by line: the answer and what made it, the roles held, and what came nearest when
 * nothing matched; invisible characters are spelled out. `policyName` names a policy of the caller's type.
 */
export function explanationLines<P extends PolicyView>(
  explanation: Explanation<P>,
  policyName: (policy: P) => string,
): string[] {
  const { question, domain, decision, roles, nearestMisses } = explanation
  const asked = `${question.principal.fullName} asks to ${question.action} ${question.resource}`
  const verdict = `${asked} (domain ${domain}): ${verdictText(decision, policyName)}`
  if (isRefused(decision)) return [visible(verdict)]
  const held = roles.length === 0 ? ['holds no role of the domain'] : roles.map(roleText)
  const nearest = nearestMisses.map((step) => `nearest: ${missText(step, policyName)}`)
  return [verdict, ...held, ...nearest].map(visible)
}

function visible(text: string): string {
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
