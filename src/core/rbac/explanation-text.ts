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

const MISSES: Readonly<Record<Miss, string>> = {
  action: 'another action',
  resource: 'another resource',
  role: 'a role that is not held',
}

/**
 * An explanation for people, line by line: the answer and what made it, the roles held, and what came nearest when
 * nothing matched. `policyName` names a policy of the caller's type.
 */
export function explanationLines<P extends PolicyView>(
  explanation: Explanation<P>,
  policyName: (policy: P) => string,
): string[] {
  const { question, domain, roles, nearestMisses } = explanation
  const asked = `${question.principal.fullName} asks to ${question.action} ${question.resource}`
  const lines = [`${asked} (domain ${domain}): ${verdictText(explanation, policyName)}`]
  if (roles.length === 0) lines.push('holds no role of the domain')
  for (const step of roles) lines.push(roleText(step))
  for (const step of nearestMisses) lines.push(`nearest: ${missText(step, policyName)}`)
  return lines
}

function verdictText<P extends PolicyView>(explanation: Explanation<P>, policyName: (policy: P) => string): string {
  const { decision } = explanation
  if (decision.outcome === 'no-match') return 'not granted, no assertion matches'
  if (decision.outcome === 'deny' && decision.reason !== 'assertion') return `denied, ${REFUSALS[decision.reason]}`
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
