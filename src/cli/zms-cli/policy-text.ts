import type { Assertion } from '#zms/api/assertion.ts'
import type { Policy } from '#zms/api/policy.ts'
import { fields, indented, item } from './lines.ts'
import { domainOf, localName, type NameStyle, shownName } from './names.ts'

/** A policy as the lines of a list item. */
export function policyLines(policy: Policy, style: NameStyle): string[] {
  const domain = domainOf(policy.name)
  return item([
    `name: ${shownName(policy.name, 'policy', style)}`,
    ...fields([
      ['version', policy.version],
      ['active', policy.active],
    ]),
    'assertions:',
    ...indented(
      2,
      (policy.assertions ?? []).map((assertion) => `- ${assertionText(assertion, style, domain)}`),
    ),
  ])
}

/**
 * `grant read to readers on scores.*`. The resource loses `domain` when names are local; without `domain` it is shown as
 * it is.
 */
export function assertionText(assertion: Assertion, { verbose }: NameStyle, domain?: string): string {
  const { effect, action, role, resource } = assertion
  const isOwn = domain !== undefined && resource.startsWith(`${domain}:`)
  const shownResource = isOwn && !verbose ? resource.slice(domain.length + 1) : resource
  return `${effect === 'DENY' ? 'deny' : 'grant'} ${action} to ${verbose ? role : localName(role, 'role')} on ${shownResource}`
}
