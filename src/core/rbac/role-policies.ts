import { type AssertionView, CompiledPolicies } from './compiled-policies.ts'
import { type GlobOptions, isGlob } from './glob.ts'

/** Assertions of one table, or of one role of it. */
type Assertions<A extends AssertionView> = CompiledPolicies<{ readonly assertions: readonly A[] }>

/** What the roles of a token select of the policies of a domain; made by {@link RolePolicies.plan} and worth keeping. */
export interface RolePlan<A extends AssertionView = AssertionView> {
  readonly denies: EffectPlan<A>
  readonly allows: EffectPlan<A>
}

/** Likewise, of the assertions of one effect. */
interface EffectPlan<A extends AssertionView> {
  /** Assertions that name one of the roles, in the order of the roles; undefined when the roles are too many for that. */
  readonly exact: readonly Assertions<A>[] | undefined
  readonly roles: readonly string[]
  /** Place of each role, when they are many. */
  readonly places: ReadonlyMap<string, number> | undefined
}

/** With more roles than this, it is cheaper to begin with the assertions that match and to look for their roles. */
const MANY_ROLES = 16

/**
 * The active policies of one domain, asked by somebody who knows the names of roles, and nothing of their members: the
 * engine beside an application that is shown tokens. Roles are local names. Make it anew when the policies change.
 */
export class RolePolicies<A extends AssertionView> {
  readonly #denies: EffectTable<A>
  readonly #allows: EffectTable<A>

  /** `assertions` of all policies, in order. Letter case of actions and resources does not matter. */
  constructor(assertions: readonly A[], options: GlobOptions = {}) {
    const denies = (each: A) => each.effect === 'DENY'
    this.#denies = new EffectTable(assertions.filter(denies), options)
    this.#allows = new EffectTable(
      assertions.filter((each) => !denies(each)),
      options,
    )
  }

  /** What the roles select, to be used in any number of decisions of these policies. */
  plan(roles: readonly string[]): RolePlan<A> {
    return { denies: this.#denies.plan(roles), allows: this.#allows.plan(roles) }
  }

  /**
   * The assertion that decides, undefined when none matches; action and resource are in lower case. A DENY that applies
   * wins. Which of several assertions it is follows the peer's engine: those that name one role come before those with a
   * glob, then the order of the roles in the token counts, then that of the assertions.
   */
  decide({ denies, allows }: RolePlan<A>, action: string, resource: string): A | undefined {
    return this.#denies.first(denies, action, resource) ?? this.#allows.first(allows, action, resource)
  }
}

/** The assertions of one effect: by the role that they name, and those that select roles by a glob. */
class EffectTable<A extends AssertionView> {
  readonly #byRole = new Map<string, Assertions<A>>()
  readonly #named: readonly A[]
  readonly #globs: Assertions<A> | undefined
  readonly #options: GlobOptions
  /** Of all that name a role; made when it is first needed. */
  #allNamed: Assertions<A> | undefined

  constructor(assertions: readonly A[], options: GlobOptions) {
    this.#options = options
    this.#named = assertions.filter(({ role }) => !isGlob(role))
    const globs = assertions.filter(({ role }) => isGlob(role))
    if (globs.length > 0) this.#globs = this.#compiled(globs)
    for (const [role, ofRole] of Map.groupBy(this.#named, (each) => each.role)) {
      this.#byRole.set(role, this.#compiled(ofRole))
    }
  }

  plan(roles: readonly string[]): EffectPlan<A> {
    if (roles.length > MANY_ROLES) {
      const places = new Map(roles.map((role, place) => [role, place] as const).toReversed())
      return { exact: undefined, roles, places }
    }
    return { exact: roles.flatMap((role) => this.#byRole.get(role) ?? []), roles, places: undefined }
  }

  first({ exact, roles, places }: EffectPlan<A>, action: string, resource: string): A | undefined {
    if (exact === undefined) {
      const found = this.#firstOfMany(places as ReadonlyMap<string, number>, action, resource)
      if (found !== undefined) return found
    } else {
      for (const assertions of exact) {
        const found = assertions.first(action, resource)
        if (found !== undefined) return found.assertion
      }
    }
    return this.#globs === undefined ? undefined : firstByGlob(this.#globs, roles, action, resource)
  }

  #firstOfMany(places: ReadonlyMap<string, number>, action: string, resource: string): A | undefined {
    this.#allNamed ??= this.#compiled(this.#named)
    let first: A | undefined
    let firstPlace = Number.POSITIVE_INFINITY
    for (const { assertion } of this.#allNamed.matching(action, resource)) {
      const place = places.get(assertion.role)
      if (place === undefined || place >= firstPlace) continue
      first = assertion
      firstPlace = place
    }
    return first
  }

  #compiled(assertions: readonly A[]): Assertions<A> {
    return new CompiledPolicies('', [{ assertions }], { ...this.#options, roleNames: 'local' })
  }
}

function firstByGlob<A extends AssertionView>(
  globs: Assertions<A>,
  roles: readonly string[],
  action: string,
  resource: string,
): A | undefined {
  let first: A | undefined
  let end = roles.length
  for (const candidate of globs.matching(action, resource)) {
    for (let place = 0; place < end; place++) {
      if (!candidate.selectsRole(roles[place] as string)) continue
      first = candidate.assertion
      end = place
      break
    }
    if (end === 0) break
  }
  return first
}
