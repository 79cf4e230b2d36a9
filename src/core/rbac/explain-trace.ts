import type { AssertionOf, CompiledAssertion, CompiledPolicies, PolicyView } from './compiled-policies.ts'
import type { DomainLookup, DomainView } from './domain-view.ts'
import { type AccessQuestion, type CredentialHolding, type RolesHeld, rolesHeld } from './evaluate.ts'
import { pendingLapses } from './explain-pending.ts'
import { type Holding, type Lapse, Missing, needs } from './holding.ts'

/** A role that the principal holds, or would hold were it not for entries that do not count. */
export interface RoleStep<P extends PolicyView = PolicyView> {
  /** Local name. */
  readonly role: string
  /** Undefined when it is not held. */
  readonly holding: Holding<P> | CredentialHolding | undefined
  /** Entries and requests that match but do not count; empty when the role is held. */
  readonly lapses: readonly Lapse[]
}

/** What of an assertion does not fit the question; `version`: its version of the policy is not the active one. */
export type Miss = 'version' | 'action' | 'resource' | 'role'

/** How the principal stands to the roles that an assertion selects; `unknown` means that it selects none. */
export type RoleStanding = 'held' | 'lapsed' | 'not-held' | 'unknown'

/** An assertion of the domain and how it fared; without misses it applies. */
export interface AssertionStep<P extends PolicyView = PolicyView> {
  readonly policy: P
  readonly assertion: AssertionOf<P>
  readonly denies: boolean
  readonly misses: readonly Miss[]
  readonly role: RoleStanding
  /** The role that is held or lapsed. */
  readonly by: RoleStep<P> | undefined
}

/** A step with the assertion as it is matched. */
export interface TracedAssertion<P extends PolicyView> extends AssertionStep<P> {
  readonly compiled: CompiledAssertion<P>
}

/** Versions of policies that are not in force. */
export interface InactiveVersions<P extends PolicyView = PolicyView> {
  readonly policies: CompiledPolicies<P>
  /** Whether a version that becomes active takes the place of another one. */
  replaces(version: P, other: P): boolean
}

/** A question and all that it is decided by. */
export interface Ground<P extends PolicyView> {
  readonly domain: DomainView<P>
  readonly question: AccessQuestion
  readonly lookup: DomainLookup<P>
  readonly inactive?: InactiveVersions<P> | undefined
}

/** How the roles and assertions of a domain stand to a question. */
export interface Trace<P extends PolicyView> {
  readonly roles: readonly RoleStep<P>[]
  readonly assertions: readonly TracedAssertion<P>[]
  readonly inactive: readonly TracedAssertion<P>[]
}

/** Looks at every role and assertion of the domain; Missing when only other domains can tell. */
export function traceOf<P extends PolicyView>({ domain, question, lookup, inactive }: Ground<P>): Trace<P> | Missing {
  const missing: Missing[] = []
  const roles = roleSteps({ domain, question, lookup }, missing)
  if (missing.length > 0) return new Missing(needs(missing).domains)
  const tracer = new AssertionTracer(domain, question, roles)
  const others = inactive?.policies.matching(question.action.toLowerCase(), question.resource.toLowerCase()) ?? []
  return {
    roles,
    assertions: domain.policies.assertions.map((compiled) => tracer.step(compiled)),
    inactive: others.map((compiled) => tracer.step(compiled, 'version')),
  }
}

function roleSteps<P extends PolicyView>({ domain, question, lookup }: Ground<P>, missing: Missing[]): RoleStep<P>[] {
  const steps: RoleStep<P>[] = []
  const byMembers = question.principal.roles === undefined
  let lapses: Lapse[] = []
  const make = (): RolesHeld<P> => rolesHeld(domain, question, lookup, (lapse) => lapses.push(lapse))
  let held = make()
  for (const [role, view] of domain.roles) {
    lapses = []
    // Made anew for each role: what is remembered from another role would not report its lapses again.
    if (byMembers) held = make()
    const found = held.holding(role)
    if (found instanceof Missing) missing.push(found)
    else if (found !== undefined) steps.push({ role, holding: found, lapses: [] })
    else {
      if (byMembers) lapses.push(...pendingLapses(domain, role, view, question, lookup, missing))
      if (lapses.length > 0) steps.push({ role, holding: undefined, lapses })
    }
  }
  return steps
}

class AssertionTracer<P extends PolicyView> {
  readonly #domain: DomainView<P>
  readonly #action: string
  readonly #resource: string
  readonly #byRole: ReadonlyMap<string, RoleStep<P>>
  /**
   * In the order in which the engine chooses for a glob: roles held by own members, delegated ones, then lapsed ones; with
   * a credential that names roles, in its order.
   */
  readonly #preferred: readonly RoleStep<P>[]
  /** Pattern of roles → whether the domain has a role that it selects. */
  readonly #known = new Map<string, boolean>()

  constructor(domain: DomainView<P>, question: AccessQuestion, roles: readonly RoleStep<P>[]) {
    this.#domain = domain
    this.#action = question.action.toLowerCase()
    this.#resource = question.resource.toLowerCase()
    this.#byRole = new Map(roles.map((step) => [step.role, step]))
    // From the last to the first, so that of the same names the first one counts.
    const places = new Map((question.principal.roles ?? []).map((role, index) => [role, index] as const).toReversed())
    const rank = ({ holding }: RoleStep<P>) => {
      if (holding === undefined) return 2
      return holding.via === 'credential' ? (places.get(holding.role) ?? 0) : Number(holding.via === 'trust')
    }
    this.#preferred = roles.toSorted((a, b) => rank(a) - rank(b))
  }

  step(compiled: CompiledAssertion<P>, ...known: Miss[]): TracedAssertion<P> {
    const { policy, assertion, denies } = compiled
    const by =
      compiled.role === undefined
        ? this.#preferred.find((step) => compiled.selectsRole(step.role))
        : this.#byRole.get(compiled.role)
    const role = this.#standing(compiled, by)
    const misses = known
    if (!compiled.matchesAction(this.#action)) misses.push('action')
    if (!compiled.matchesResource(this.#resource)) misses.push('resource')
    if (role !== 'held') misses.push('role')
    return { compiled, policy, assertion, denies, misses, role, by }
  }

  #standing(compiled: CompiledAssertion<P>, by: RoleStep<P> | undefined): RoleStanding {
    if (by !== undefined) return by.holding === undefined ? 'lapsed' : 'held'
    const { roles } = this.#domain
    if (compiled.role !== undefined) return roles.has(compiled.role) ? 'not-held' : 'unknown'
    const pattern = compiled.assertion.role
    let known = this.#known.get(pattern)
    if (known === undefined) {
      known = [...roles.keys()].some((name) => compiled.selectsRole(name))
      this.#known.set(pattern, known)
    }
    return known ? 'not-held' : 'unknown'
  }
}
