import { roleResourceName } from '../names/resource-name.ts'
import { Glob, type GlobOptions, isGlob } from './glob.ts'
import { PatternIndex } from './pattern-index.ts'
import { PatternKeys } from './pattern-keys.ts'

/** What the engine reads of an assertion. Absent effect means ALLOW. */
export interface AssertionView {
  /** Name or glob of roles, see {@link PolicyOptions.roleNames}. */
  readonly role: string
  readonly resource: string
  readonly action: string
  readonly effect?: 'ALLOW' | 'DENY' | undefined
}

/** What the engine reads of the active version of a policy: an array or a Map of assertions. */
export interface PolicyView {
  readonly assertions?: { values(): Iterable<AssertionView> } | undefined
}

/** The caller's own type of assertion, as its policies hold it. */
export type AssertionOf<P extends PolicyView> =
  NonNullable<P['assertions']> extends { values(): Iterable<infer A extends AssertionView> } ? A : AssertionView

/** How policies are read. */
export interface PolicyOptions extends GlobOptions {
  /** Whether assertions name roles in full (`sports:role.readers`, the default) or by local name (`readers`). */
  readonly roleNames?: 'full' | 'local'
}

/** Action of the assertions by which a domain gives a role that is delegated to it to members of its own roles. */
export const ASSUME_ROLE = 'assume_role'

/** From so many assertions on, looking them up pays for the memory of the index. */
const INDEXED_SIZE = 8
/** Up to so many assertions, keys are looked through, which takes less memory, and touches less. */
const KEYED_SIZE = 64
/** Likewise for the assertions of one slot of the index. */
const SLOT_INDEXED_SIZE = 8
const NONE: readonly never[] = Object.freeze([])

/** One assertion of an active policy, made ready for matching, with the caller's own objects. */
export class CompiledAssertion<P extends PolicyView = PolicyView> {
  readonly policy: P
  readonly assertion: AssertionOf<P>
  /** Position among all assertions of the domain. */
  readonly order: number
  readonly denies: boolean
  readonly action: string
  readonly resource: string
  /** Local name of the only role it can select; undefined when it is a glob. */
  readonly role: string | undefined
  readonly #actionGlob: Glob | undefined
  readonly #resourceGlob: Glob | undefined
  readonly #roleGlob: Glob | undefined
  /** What precedes a local role name where the role glob is not about local names. */
  readonly #rolePrefix: string

  constructor(policy: P, assertion: AssertionOf<P>, order: number, rolePrefix: string, options: GlobOptions) {
    this.policy = policy
    this.assertion = assertion
    this.order = order
    this.denies = assertion.effect === 'DENY'
    this.action = assertion.action.toLowerCase()
    this.resource = assertion.resource.toLowerCase()
    this.#actionGlob = globOf(this.action, options)
    this.#resourceGlob = globOf(this.resource, options)
    const local = assertion.role.startsWith(rolePrefix)
    const role = local ? assertion.role.slice(rolePrefix.length) : assertion.role
    this.#rolePrefix = local ? '' : rolePrefix
    this.#roleGlob = globOf(role, options)
    // A full name of another domain's role selects nothing: no role has the empty name.
    this.role = this.#roleGlob ? undefined : local ? role : ''
  }

  /** Whether it is about the action, given in lower case. */
  matchesAction(action: string): boolean {
    return this.#actionGlob === undefined ? this.action === action : this.#actionGlob.matches(action)
  }

  /** Whether it is about the resource, given in lower case. */
  matchesResource(resource: string): boolean {
    return this.#resourceGlob === undefined ? this.resource === resource : this.#resourceGlob.matches(resource)
  }

  /** Whether it selects the role of that local name, if the domain has one. */
  selectsRole(roleName: string): boolean {
    if (this.#roleGlob === undefined) return this.role === roleName
    return this.#roleGlob.matches(this.#rolePrefix + roleName)
  }
}

/**
 * The active policies of one domain, asked many times. Actions and resources match without regard to letter case. An
 * assertion is compiled when it is first a candidate: of most domains most are never asked about. Give it active
 * versions only; what it is made from must not change afterwards.
 */
export class CompiledPolicies<P extends PolicyView = PolicyView> {
  /** By order: the assertion with its policy, or what was compiled from them. */
  readonly #assertions: (AssertionOf<P> | CompiledAssertion<P>)[] = []
  readonly #policies: P[] = []
  readonly #rolePrefix: string
  readonly #options: GlobOptions
  readonly #delegations: readonly Delegation<P>[]
  #index: PatternIndex<Slot> | undefined
  /** Of the resources; null when they do not fit keys. */
  #keys: PatternKeys | null | undefined
  #delegationIndex: PatternIndex<Delegation<P>[]> | undefined

  constructor(domainName: string, policies: Iterable<P>, options: PolicyOptions = {}) {
    this.#options = options
    this.#rolePrefix = options.roleNames === 'local' ? '' : roleResourceName(domainName, '')
    const delegations: Delegation<P>[] = []
    for (const policy of policies) {
      for (const each of policy.assertions?.values() ?? NONE) {
        const order = this.#assertions.push(each as AssertionOf<P>) - 1
        this.#policies.push(policy)
        if (each.action.length !== ASSUME_ROLE.length || each.action.toLowerCase() !== ASSUME_ROLE) continue
        delegations.push({ compiled: this.#at(order), resource: each.resource, glob: globOf(each.resource, options) })
      }
    }
    this.#delegations = delegations.length === 0 ? NONE : delegations
  }

  /** All assertions, in the order of the policies and of the assertions within them. */
  get assertions(): readonly CompiledAssertion<P>[] {
    return this.#assertions.map((_, order) => this.#at(order))
  }

  /** The assertions about this action and resource (both in lower case), whatever their roles, in order. */
  matching(action: string, resource: string): readonly CompiledAssertion<P>[] {
    const found: CompiledAssertion<P>[] = []
    if (this.#assertions.length < INDEXED_SIZE) {
      for (let order = 0; order < this.#assertions.length; order++) this.#collect(order, action, resource, found)
      return found
    }
    const keys = this.#resourceKeys()
    if (keys) {
      for (const order of keys.candidates(resource)) this.#collect(order, action, resource, found)
      return found
    }
    this.#index ??= this.#indexByResource()
    for (const slot of this.#index.find(resource)) {
      const orders = slot instanceof ActionSlot ? slot.candidates(action) : slot
      for (const order of orders) this.#collect(order, action, resource, found)
    }
    return found.length < 2 ? found : found.sort(byOrder)
  }

  /** The first of the assertions that {@link matching} gives. */
  first(action: string, resource: string): CompiledAssertion<P> | undefined {
    if (this.#assertions.length < INDEXED_SIZE) return this.#firstOf(undefined, action, resource)
    this.#index ??= this.#indexByResource()
    const literal = this.#index.literal(resource)
    let found = literal && this.#firstInSlot(literal, action, resource)
    for (const slot of this.#index.globs(resource)) {
      const other = this.#firstInSlot(slot, action, resource)
      if (other !== undefined && (found === undefined || other.order < found.order)) found = other
    }
    return found
  }

  #firstInSlot(slot: Slot, action: string, resource: string): CompiledAssertion<P> | undefined {
    if (!(slot instanceof ActionSlot)) return this.#firstOf(slot, action, resource)
    const exact = this.#firstOf(slot.exact(action), action, resource)
    const glob = this.#firstOf(slot.globs, action, resource)
    return exact === undefined || (glob !== undefined && glob.order < exact.order) ? glob : exact
  }

  /** `orders` are ascending; all when undefined. */
  #firstOf(orders: readonly number[] | undefined, action: string, resource: string): CompiledAssertion<P> | undefined {
    const count = orders === undefined ? this.#assertions.length : orders.length
    for (let i = 0; i < count; i++) {
      const each = this.#at(orders === undefined ? i : (orders[i] as number))
      if (each.matchesAction(action) && each.matchesResource(resource)) return each
    }
    return undefined
  }

  /**
   * The assertions whose action is `assume_role` itself, in any letter case, and whose resource is or selects the role
   * of that full name; here letter case counts. Effect and role are the caller's to judge.
   */
  delegations(fullName: string): readonly CompiledAssertion<P>[] {
    const found: CompiledAssertion<P>[] = []
    const collect = (list: readonly Delegation<P>[]) => {
      for (const { compiled, resource, glob } of list) {
        if (glob === undefined ? resource === fullName : glob.matches(fullName)) found.push(compiled)
      }
    }
    if (this.#delegations.length < INDEXED_SIZE) {
      collect(this.#delegations)
      return found
    }
    this.#delegationIndex ??= indexDelegations(this.#delegations)
    for (const slot of this.#delegationIndex.find(fullName)) collect(slot)
    return found.sort(byOrder)
  }

  #at(order: number): CompiledAssertion<P> {
    const each = this.#assertions[order] as AssertionOf<P> | CompiledAssertion<P>
    if (each instanceof CompiledAssertion) return each
    const compiled = new CompiledAssertion(this.#policies[order] as P, each, order, this.#rolePrefix, this.#options)
    this.#assertions[order] = compiled
    return compiled
  }

  #collect(order: number, action: string, resource: string, found: CompiledAssertion<P>[]): void {
    const each = this.#at(order)
    if (each.matchesAction(action) && each.matchesResource(resource)) found.push(each)
  }

  #resourceKeys(): PatternKeys | null {
    if (this.#keys !== undefined) return this.#keys
    const few = this.#assertions.length <= KEYED_SIZE
    this.#keys = (few && PatternKeys.of(this.#assertions.map((each) => each.resource.toLowerCase()))) || null
    return this.#keys
  }

  #indexByResource(): PatternIndex<Slot> {
    const index = new PatternIndex<Slot>()
    for (const [order, each] of this.#assertions.entries()) {
      const resource = each.resource.toLowerCase()
      const slot = index.get(resource)
      if (slot instanceof ActionSlot) slot.add(order, each.action)
      else index.set(resource, this.#withOrder(slot ?? NONE, order))
    }
    return index
  }

  #withOrder(orders: readonly number[], order: number): Slot {
    if (orders.length < SLOT_INDEXED_SIZE) return orders.concat(order)
    const slot = new ActionSlot()
    for (const each of [...orders, order]) slot.add(each, (this.#assertions[each] as AssertionView).action)
    return slot
  }
}

interface Delegation<P extends PolicyView> {
  readonly compiled: CompiledAssertion<P>
  readonly resource: string
  readonly glob: Glob | undefined
}

/** The assertions, by their order, of one literal resource or of one literal prefix of resources. */
type Slot = readonly number[] | ActionSlot

/** The same by action, when they are many. */
class ActionSlot {
  readonly #byAction = new Map<string, number[]>()
  /** Of those whose action is a glob. */
  readonly globs: number[] = []

  add(order: number, anyCaseAction: string): void {
    const action = anyCaseAction.toLowerCase()
    if (isGlob(action)) {
      this.globs.push(order)
      return
    }
    const same = this.#byAction.get(action)
    if (same === undefined) this.#byAction.set(action, [order])
    else same.push(order)
  }

  /** Those of that action. */
  exact(action: string): readonly number[] {
    return this.#byAction.get(action) ?? NONE
  }

  /** Those whose action may match. */
  candidates(action: string): readonly number[] {
    const same = this.exact(action)
    return this.globs.length === 0 ? same : [...same, ...this.globs]
  }
}

/** The glob of a pattern; undefined when it is literal. */
const globOf = (pattern: string, options: GlobOptions): Glob | undefined =>
  isGlob(pattern) ? new Glob(pattern, options) : undefined

function indexDelegations<P extends PolicyView>(delegations: readonly Delegation<P>[]) {
  const index = new PatternIndex<Delegation<P>[]>()
  for (const each of delegations) {
    const slot = index.get(each.resource)
    if (slot === undefined) index.set(each.resource, [each])
    else slot.push(each)
  }
  return index
}

function byOrder(a: CompiledAssertion, b: CompiledAssertion): number {
  return a.order - b.order
}
