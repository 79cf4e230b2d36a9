import { type Change, isDomainChange } from '../change.ts'
import type { Assertion, Domain, Policy } from '../model.ts'
import { standInsOf } from '../stand-ins.ts'

/** The changes with an id for every new assertion, and with that id where later changes name it by its stand-in. */
export function withAssertionIds(changes: readonly Change[], nextId: () => number): Change[] {
  const standIns = standInsOf(changes)
  const given = new GivenIds(nextId)
  return changes.map((change) => {
    if (!isDomainChange(change)) return change
    switch (change.kind) {
      case 'createDomain':
        return { ...change, value: withIds(change.value, given) }
      case 'putAssertion': {
        const { id } = change.value
        const known = id === undefined ? given.to(change, standIns.get(change) ?? 0) : given.find(change, id)
        return { ...change, value: { ...change.value, id: known } }
      }
      case 'deleteAssertion':
      case 'putConditions':
        return { ...change, id: given.find(change, change.id) }
      default:
        return change
    }
  })
}

interface PolicyVersion {
  readonly domain: string
  readonly policy: string
  readonly version: string
}

/** Ids that were given in one transaction, by the stand-ins they replace. */
class GivenIds {
  readonly #nextId: () => number
  readonly #ids = new Map<string, number>()

  constructor(nextId: () => number) {
    this.#nextId = nextId
  }

  to(place: PolicyVersion, standIn: number): number {
    const id = this.#nextId()
    this.#ids.set(keyOf(place, standIn), id)
    return id
  }

  /** The id that replaces a stand-in; other ids as they are. */
  find(place: PolicyVersion, id: number): number {
    return this.#ids.get(keyOf(place, id)) ?? id
  }
}

const keyOf = ({ domain, policy, version }: PolicyVersion, standIn: number) =>
  [domain, policy, version, standIn].join('\n')

function withIds(value: Domain, given: GivenIds): Domain {
  const ofVersion = (policy: Policy): Policy => {
    const place = { domain: value.name, policy: policy.name, version: policy.version }
    const assertions = [...policy.assertions].map(([standIn, assertion]): [number, Assertion] => {
      const id = given.to(place, standIn)
      return [id, { ...assertion, id }]
    })
    return { ...policy, assertions: new Map(assertions) }
  }
  const policies = [...value.policies].map(
    ([name, versions]) =>
      [name, new Map([...versions].map(([version, policy]) => [version, ofVersion(policy)]))] as const,
  )
  return { ...value, policies: new Map(policies) }
}
