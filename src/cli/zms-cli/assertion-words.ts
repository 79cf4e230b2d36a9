import type { OperationRequest } from '#client/operation.ts'
import type { assertionEndpoints } from '#zms/api/assertion.ts'
import { switchValue } from '../tools/flags.ts'
import { CommandRefusal } from './failure.ts'
import { fullName } from './names.ts'

/** An assertion as it is sent. */
export type AssertionWords = OperationRequest<(typeof assertionEndpoints)['putAssertion']>['body']

const EFFECTS: ReadonlyMap<string, 'ALLOW' | 'DENY'> = new Map([
  ['grant', 'ALLOW'],
  ['deny', 'DENY'],
])

/**
 * Reads `grant|deny ACTION to ROLE on RESOURCE [CASE]` in a domain: names without a domain are of this one, and CASE is
 * `true` when letter case matters. Refuses anything else.
 */
export function readAssertion(domain: string, words: readonly string[]): AssertionWords {
  const [effectWord = '', action = '', to, role = '', on, resource = '', caseWord, ...others] = words
  const effect = EFFECTS.get(effectWord)
  const caseSensitive = caseWord === undefined ? false : switchValue(caseWord)
  const isWhole = action !== '' && to === 'to' && role !== '' && on === 'on' && resource !== '' && others.length === 0
  if (effect === undefined || caseSensitive === undefined || !isWhole) {
    throw new CommandRefusal("bad assertion syntax. should be '<effect> <action> to <role> on <resource>'")
  }
  return {
    effect,
    action,
    role: role.includes(':') ? role : fullName(domain, 'role', role),
    resource: resource.includes(':') ? resource : `${domain}:${resource}`,
    ...(caseSensitive && { caseSensitive }),
  }
}

/** Whether two assertions say the same; letter case is not told apart by what the server stores. */
export const isSameAssertion = (a: AssertionWords, b: Omit<AssertionWords, 'id'>): boolean =>
  (a.effect ?? 'ALLOW') === (b.effect ?? 'ALLOW') &&
  a.action.toLowerCase() === b.action.toLowerCase() &&
  a.role.toLowerCase() === b.role.toLowerCase() &&
  a.resource.toLowerCase() === b.resource.toLowerCase()
