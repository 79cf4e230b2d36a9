import { badRequest } from '#core/error/service-error.ts'
import { isName } from '#core/names/patterns.ts'
import { resourceDomain, roleResourceName } from '#core/names/resource-name.ts'
import { type AssertionInput, foldAssertion } from '../api/assertion.ts'
import type { Assertion, AssertionCondition, Domain } from '../store/model.ts'
import type { ZmsDependencies } from './dependencies.ts'

/**
 * The assertion that a request for a policy of `domain` asks for, in the form it is stored (without id), after the rules
 * that need no stored data. 400 for the first rule it breaks.
 */
export function requestedAssertion(domain: string, input: AssertionInput, policyCaseSensitive: boolean): Assertion {
  const { action, resource } = foldAssertion(input, policyCaseSensitive)
  requireResource(resource)
  if (hasControlCharacter(resource)) {
    throw badRequest(`Assertion resource contains control characters: ${resource}`)
  }
  if (hasControlCharacter(action)) throw badRequest(`Assertion action contains control characters: ${action}`)
  if (action === '') throw badRequest('Assertion action cannot be empty')
  const prefix = roleResourceName(domain, '')
  if (!input.role.startsWith(prefix) || input.role.length === prefix.length) {
    throw badRequest(`domain name mismatch: ${domain} assertion role name: ${input.role}`)
  }
  const conditions = requestedConditions(input.conditions?.conditionsList ?? [])
  const assertion: Assertion = {
    role: input.role.slice(prefix.length),
    resource,
    action,
    effect: input.effect ?? 'ALLOW',
  }
  return conditions.size > 0 ? { ...assertion, conditions } : assertion
}

/** 400 unless the resource begins with a domain, or with `*` for all of them. */
function requireResource(resource: string): void {
  const domain = resourceDomain(resource)
  if (domain === undefined) throw badRequest(`Missing domain name from assertion resource: ${resource}`)
  if (domain !== '*' && !isName('DomainName', domain)) {
    throw badRequest(`Invalid DomainName error: ${domain} is not a valid domain name`)
  }
}

/** Control characters of ASCII and Latin-1: line ends and the like, which could forge lines of logs. */
function hasControlCharacter(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return true
  }
  return false
}

/** Conditions of a request in lower case, numbered from 1; those without any key do not exist. */
export function requestedConditions(
  list: readonly { conditionsMap: ReadonlyMap<string, { operator: string; value: string }> }[],
): ReadonlyMap<number, AssertionCondition> {
  const filled = list.filter(({ conditionsMap }) => conditionsMap.size > 0)
  return new Map(filled.map(({ conditionsMap }, index) => [index + 1, loweredCondition(conditionsMap)]))
}

function loweredCondition(condition: ReadonlyMap<string, { operator: string; value: string }>): AssertionCondition {
  return new Map(
    [...condition].map(([key, { operator, value }]) => [key.toLowerCase(), { operator, value: value.toLowerCase() }]),
  )
}

/**
 * 400 when an assertion is about a role that must exist and does not (where the server is told to look), or when the
 * resource validator objects.
 */
export async function requireAdmitted(
  { config, resourceValidator }: Pick<ZmsDependencies, 'config' | 'resourceValidator'>,
  domain: Domain,
  policy: string,
  assertions: Iterable<Assertion>,
): Promise<void> {
  const mustExist = config.zms.validatePolicyAssertionRoles.value
  for (const assertion of assertions) {
    if (mustExist && !domain.roles.has(assertion.role)) {
      const role = roleResourceName(domain.name, assertion.role)
      throw badRequest(`The role: ${role} that associated to an assertion does not exist`)
    }
    if (!(await resourceValidator.validatePolicyAssertion(domain.name, policy, assertion))) {
      throw badRequest('Assertion is not allowed by external resource validator')
    }
  }
}

/** What makes two assertions of a policy the same: everything but id and conditions. */
export const assertionKey = ({ role, resource, action, effect }: Assertion): string =>
  JSON.stringify([role, resource, action, effect])

/** Whether two sets of conditions say the same, whatever their ids. */
export const sameConditions = (a: Assertion['conditions'], b: Assertion['conditions']): boolean =>
  conditionsText(a) === conditionsText(b)

/** A text that is the same for conditions that say the same. */
function conditionsText(conditions: Assertion['conditions']): string {
  const texts: string[] = []
  for (const condition of conditions?.values() ?? []) {
    texts.push(JSON.stringify([...condition].sort(([left], [right]) => (left < right ? -1 : Number(left > right)))))
  }
  return texts.sort().join('\n')
}
