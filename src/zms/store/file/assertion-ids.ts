import type { Change } from '../change.ts'
import type { Assertion, Domain, Policy } from '../model.ts'

/** The changes with an id for every assertion that has none yet, in their order. */
export function withAssertionIds(changes: readonly Change[], nextId: () => number): Change[] {
  return changes.map((change) => {
    if (change.kind === 'createDomain') return { ...change, value: numbered(change.value, nextId) }
    if (change.kind !== 'putAssertion' || change.value.id !== undefined) return change
    return { ...change, value: { ...change.value, id: nextId() } }
  })
}

function numbered(domain: Domain, nextId: () => number): Domain {
  const ofPolicy = (policy: Policy): Policy => {
    const assertions = new Map<number, Assertion>()
    for (const assertion of policy.assertions.values()) {
      const id = nextId()
      assertions.set(id, { ...assertion, id })
    }
    return { ...policy, assertions }
  }
  const policies = new Map(
    [...domain.policies].map(([name, versions]) => [
      name,
      new Map([...versions].map(([version, policy]) => [version, ofPolicy(policy)])),
    ]),
  )
  return { ...domain, policies }
}
