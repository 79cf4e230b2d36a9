import type { AssertionCondition, Policy } from '../model.ts'

type Policies = ReadonlyMap<string, ReadonlyMap<string, Policy>>

/**
 * Whether two states of a domain have the same policies. Assertions are compared one by one: another server might change
 * them without moving the time of the policy.
 */
export function samePolicies(a: Policies, b: Policies): boolean {
  return sameEntries(a, b, (versions, others) => sameEntries(versions, others, samePolicy))
}

function samePolicy(a: Policy, b: Policy): boolean {
  return a.modified === b.modified && a.active === b.active && sameEntries(a.assertions, b.assertions, sameAssertion)
}

type Assertion = Policy['assertions'] extends ReadonlyMap<number, infer A> ? A : never

function sameAssertion(a: Assertion, b: Assertion): boolean {
  return (
    a.role === b.role &&
    a.resource === b.resource &&
    a.action === b.action &&
    a.effect === b.effect &&
    sameEntries(a.conditions ?? NONE, b.conditions ?? NONE, sameCondition)
  )
}

const NONE: ReadonlyMap<number, AssertionCondition> = new Map()

const sameCondition = (a: AssertionCondition, b: AssertionCondition) =>
  sameEntries(a, b, (one, other) => one.operator === other.operator && one.value === other.value)

function sameEntries<K, V>(a: ReadonlyMap<K, V>, b: ReadonlyMap<K, V>, same: (a: V, b: V) => boolean): boolean {
  if (a.size !== b.size) return false
  for (const [key, value] of a) {
    const other = b.get(key)
    if (other === undefined || !same(value, other)) return false
  }
  return true
}
