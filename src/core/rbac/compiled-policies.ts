import { roleResourceName } from '../names/resource-name.ts'
import { Glob, type GlobOptions, isGlob } from './glob.ts'
import { PatternIndex } from './pattern-index.ts'

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

  constructor(policy: P, assertion: AssertionOf<P>, order: number, rolePrefix: string, globs: GlobCache) {
    this.policy = policy
    this.assertion = assertion
    this.order = order
    this.denies = assertion.effect === 'DENY'
    this.action = assertion.action.toLowerCase()
    this.resource = assertion.resource.toLowerCase()
    this.#actionGlob = globs.globOf(this.action)
    this.#resourceGlob = globs.globOf(this.resource)
    const local = assertion.role.startsWith(rolePrefix)
    const role = local ? assertion.role.slice(rolePrefix.length) : assertion.role
    this.#rolePrefix = local ? '' : rolePrefix
    this.#roleGlob = globs.globOf(role)
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
 * The active policies of one domain, compiled once and asked many times. Actions and resources match without regard to
 * letter case. Give it active versions only; what it is made from must not change afterwards.
 */
export class CompiledPolicies<P extends PolicyView = PolicyView> {
  /** All assertions, in the order of the policies and of the assertions within them. */
  readonly assertions: readonly CompiledAssertion<P>[]
  readonly #delegations: readonly Delegation<P>[]
  #index: PatternIndex<ActionSlot<P>> | undefined
  #delegationIndex: PatternIndex<Delegation<P>[]> | undefined

  constructor(domainName: string, policies: Iterable<P>, options: PolicyOptions = {}) {
    const globs = new GlobCache(options)
    const rolePrefix = options.roleNames === 'local' ? '' : roleResourceName(domainName, '')
    const assertions: CompiledAssertion<P>[] = []
    const delegations: Delegation<P>[] = []
    for (const policy of policies) {
      for (const each of policy.assertions?.values() ?? NONE) {
        const compiled = new CompiledAssertion<P>(policy, each as AssertionOf<P>, assertions.length, rolePrefix, globs)
        assertions.push(compiled)
        if (compiled.action !== ASSUME_ROLE) continue
        delegations.push({ compiled, resource: each.resource, glob: globs.globOf(each.resource) })
      }
    }
    this.assertions = assertions
    this.#delegations = delegations
  }

  /** The assertions about this action and resource (both in lower case), whatever their roles, in order. */
  matching(action: string, resource: string): readonly CompiledAssertion<P>[] {
    if (this.assertions.length < INDEXED_SIZE) {
      const found: CompiledAssertion<P>[] = []
      for (const each of this.assertions) {
        if (each.matchesAction(action) && each.matchesResource(resource)) found.push(each)
      }
      return found
    }
    const index = (this.#index ??= indexByResource(this.assertions))
    const found: CompiledAssertion<P>[] = []
    index.literal(resource)?.collect(action, resource, found)
    index.forEachPrefix(resource, (slot) => slot.collect(action, resource, found))
    return found.length < 2 ? found : found.sort(byOrder)
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
    const index = (this.#delegationIndex ??= indexDelegations(this.#delegations))
    collect(index.literal(fullName) ?? NONE)
    index.forEachPrefix(fullName, collect)
    return found.sort(byOrder)
  }
}

interface Delegation<P extends PolicyView> {
  readonly compiled: CompiledAssertion<P>
  readonly resource: string
  readonly glob: Glob | undefined
}

/** Makes each glob of a domain once. */
class GlobCache {
  readonly #options: GlobOptions
  readonly #globs = new Map<string, Glob>()

  constructor(options: GlobOptions) {
    this.#options = options
  }

  /** The glob of the pattern; undefined when it is literal. */
  globOf(pattern: string): Glob | undefined {
    if (!isGlob(pattern)) return undefined
    let glob = this.#globs.get(pattern)
    if (glob === undefined) this.#globs.set(pattern, (glob = new Glob(pattern, this.#options)))
    return glob
  }
}

/** The assertions of one literal resource, or of one literal prefix of resources, by action once they are many. */
class ActionSlot<P extends PolicyView> {
  readonly #assertions: CompiledAssertion<P>[] = []
  #byAction: Map<string, CompiledAssertion<P>[]> | undefined
  /** Those whose action is a glob; used together with #byAction. */
  #actionGlobs: CompiledAssertion<P>[] = []

  add(each: CompiledAssertion<P>): void {
    this.#assertions.push(each)
    if (this.#byAction !== undefined) this.#addByAction(this.#byAction, each)
    else if (this.#assertions.length > SLOT_INDEXED_SIZE) {
      this.#byAction = new Map()
      for (const former of this.#assertions) this.#addByAction(this.#byAction, former)
    }
  }

  collect(action: string, resource: string, found: CompiledAssertion<P>[]): void {
    if (this.#byAction === undefined) {
      collectFrom(this.#assertions, action, resource, found)
      return
    }
    collectFrom(this.#byAction.get(action) ?? NONE, action, resource, found)
    collectFrom(this.#actionGlobs, action, resource, found)
  }

  #addByAction(byAction: Map<string, CompiledAssertion<P>[]>, each: CompiledAssertion<P>): void {
    if (isGlob(each.action)) {
      this.#actionGlobs.push(each)
      return
    }
    const same = byAction.get(each.action)
    if (same === undefined) byAction.set(each.action, [each])
    else same.push(each)
  }
}

function collectFrom<P extends PolicyView>(
  list: readonly CompiledAssertion<P>[],
  action: string,
  resource: string,
  found: CompiledAssertion<P>[],
): void {
  for (const each of list) if (each.matchesAction(action) && each.matchesResource(resource)) found.push(each)
}

function indexByResource<P extends PolicyView>(assertions: readonly CompiledAssertion<P>[]) {
  const index = new PatternIndex(() => new ActionSlot<P>())
  for (const each of assertions) index.slotFor(each.resource).add(each)
  return index
}

function indexDelegations<P extends PolicyView>(delegations: readonly Delegation<P>[]) {
  const index = new PatternIndex<Delegation<P>[]>(() => [])
  for (const each of delegations) index.slotFor(each.resource).push(each)
  return index
}

function byOrder(a: CompiledAssertion, b: CompiledAssertion): number {
  return a.order - b.order
}
