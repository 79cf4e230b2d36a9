import { splitResourceName } from '#core/names/resource-name.ts'
import type { Assertion } from '#zms/api/assertion.ts'
import type { PolicySummary } from '#zms/api/policy-search.ts'
import { badge, link } from './components.ts'
import { type Content, type Html, html, path, withQuery } from './html.ts'

/** Names of a policy in paths. */
export interface PolicyPlace {
  readonly domainName: string
  readonly policyName: string
}

/** Where a policy is, or one of its versions. */
export const policyPath = ({ domainName, policyName }: PolicyPlace, version?: string): string =>
  path`/domain/${domainName}/policy/${policyName}` + (version === undefined ? '' : path`/version/${version}`)

/** Where an assertion of a version is, with its conditions. */
export const assertionPath = (place: PolicyPlace, version: string, id: number): string =>
  policyPath(place, version) + path`/assertion/${id}`

/** Where an assertion is written, with what is known of it. */
export const newAssertionPath = (
  place: PolicyPlace,
  known: Readonly<Record<string, string | undefined>> = {},
): string => withQuery(`${policyPath(place)}/new-assertion`, known)

/** Local name of a policy. */
export const localPolicyName = ({ name }: Pick<PolicySummary, 'name'>): string =>
  splitResourceName('policy', name)?.name ?? name

/** A link to a role by its full name; what stands for several roles is text. */
export function roleLink(fullName: string): Content {
  const role = splitResourceName('role', fullName)
  if (role === undefined || /[*?]/.test(fullName)) return fullName
  return link(path`/domain/${role.domain}/role/${role.name}`, fullName)
}

/** A link to a policy, or one of its versions, by its full name or, in a domain, by its local one. */
export function policyLink(domainName: string, name: string, version?: string): Content {
  const { domain, name: policyName } = splitResourceName('policy', name) ?? { domain: domainName, name }
  return link(policyPath({ domainName: domain, policyName }, version), name)
}

/** Whether an assertion grants or forbids. */
export const effectBadge = (effect: string | undefined): Html =>
  effect === 'DENY' ? badge('DENY', 'bad') : badge('ALLOW', 'good')

/** The conditions of an assertion, in short. */
export const conditionTexts = ({ conditions }: Pick<Assertion, 'conditions'>): Content =>
  conditions?.conditionsList.map(
    ({ conditionsMap }) =>
      html`<div>${Object.entries(conditionsMap)
        .map(([key, { value }]) => `${key} = ${value}`)
        .join(' and ')}</div>`,
  )

/** An assertion as the command line writes it. */
export const assertionText = ({
  effect,
  action,
  role,
  resource,
}: Pick<Assertion, 'effect' | 'action' | 'role' | 'resource'>): string =>
  `${effect === 'DENY' ? 'deny' : 'grant'} ${action} to ${role} on ${resource}`
