import type { AssertionOf, CompiledAssertion, PolicyView } from './compiled-policies.ts'
import type { DomainLookup, DomainView, Needs } from './domain-view.ts'
import {
  type AccessQuestion,
  type CredentialHolding,
  type Decision,
  evaluate,
  type RolesHeld,
  refusalOf,
  rolesHeld,
} from './evaluate.ts'
import { type HeldRole, type Holding, type Lapse, Missing, needs } from './holding.ts'

/** A role that the principal holds, or would hold were it not for entries that have expired or are disabled. */
export interface RoleStep<P extends PolicyView = PolicyView> {
  /** Local name. */
  readonly role: string
  /** Undefined when it is not held. */
  readonly holding: Holding<P> | CredentialHolding | undefined
  /** Matching entries that do not count; empty when the role is held. */
  readonly lapses: readonly Lapse[]
}

/** What of an assertion does not fit the question. */
export type Miss = 'action' | 'resource' | 'role'

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

/** A decision and how it came about. */
export interface Explanation<P extends PolicyView = PolicyView> {
  readonly outcome: 'explained'
  readonly domain: string
  readonly question: AccessQuestion
  readonly decision: Exclude<Decision<P>, Needs>
  /** In the domain's order; empty when the question was refused before any role was looked at. */
  readonly roles: readonly RoleStep<P>[]
  /** All assertions in order; empty likewise. */
  readonly assertions: readonly AssertionStep<P>[]
  /** When nothing matched: the ALLOW assertions that lack least, nearest first. */
  readonly nearestMisses: readonly AssertionStep<P>[]
}

const NEAREST_MISSES = 5
/** An assertion that differs in everything is not near. */
const NEAR_MISS_COUNT = 2

/**
 * Decides as {@link evaluate} does and tells how: what the principal holds, how each assertion fared and what came
 * nearest. Looks at every role and assertion of the domain, and so may need more domains than the decision does.
 */
export function explain<P extends PolicyView>(
  domain: DomainView<P>,
  question: AccessQuestion,
  lookup: DomainLookup<P>,
): Explanation<P> | Needs {
  const decision = evaluate(domain, question, lookup)
  if (decision.outcome === 'needs') return decision
  const explanation = { outcome: 'explained' as const, domain: domain.name, question, decision }
  if (refusalOf(domain, question) !== undefined) return { ...explanation, roles: [], assertions: [], nearestMisses: [] }
  const missing: Missing[] = []
  const roles = roleSteps(domain, question, lookup, missing)
  const tracer = new AssertionTracer(domain, question, rolesHeld(domain, question, lookup), roles)
  const assertions = domain.policies.assertions.map((assertion) => tracer.step(assertion, missing))
  if (missing.length > 0) return needs(missing)
  const nearestMisses = decision.outcome === 'no-match' ? nearest(assertions) : []
  return { ...explanation, roles, assertions, nearestMisses }
}

function roleSteps<P extends PolicyView>(
  domain: DomainView<P>,
  question: AccessQuestion,
  lookup: DomainLookup<P>,
  missing: Missing[],
): RoleStep<P>[] {
  const steps: RoleStep<P>[] = []
  for (const role of domain.roles.keys()) {
    const lapses: Lapse[] = []
    // Made anew for each role: what is remembered from another role would not report its lapses again.
    const found = rolesHeld(domain, question, lookup, (lapse) => lapses.push(lapse)).holding(role)
    if (found instanceof Missing) missing.push(found)
    else if (found !== undefined) steps.push({ role, holding: found, lapses: [] })
    else if (lapses.length > 0) steps.push({ role, holding: undefined, lapses })
  }
  return steps
}

class AssertionTracer<P extends PolicyView> {
  readonly #domain: DomainView<P>
  readonly #action: string
  readonly #resource: string
  readonly #held: RolesHeld<P>
  readonly #lapsed: readonly RoleStep<P>[]

  constructor(domain: DomainView<P>, question: AccessQuestion, held: RolesHeld<P>, roles: readonly RoleStep<P>[]) {
    this.#domain = domain
    this.#action = question.action.toLowerCase()
    this.#resource = question.resource.toLowerCase()
    this.#held = held
    this.#lapsed = roles.filter((step) => step.holding === undefined)
  }

  step(compiled: CompiledAssertion<P>, missing: Missing[]): AssertionStep<P> {
    const found = this.#held.selected(compiled)
    if (found instanceof Missing) missing.push(found)
    const { role, by } = this.#standing(compiled, found instanceof Missing ? undefined : found)
    const misses: Miss[] = []
    if (!compiled.matchesAction(this.#action)) misses.push('action')
    if (!compiled.matchesResource(this.#resource)) misses.push('resource')
    if (role !== 'held') misses.push('role')
    return { policy: compiled.policy, assertion: compiled.assertion, denies: compiled.denies, misses, role, by }
  }

  #standing(
    compiled: CompiledAssertion<P>,
    found: HeldRole<Holding<P> | CredentialHolding> | undefined,
  ): { role: RoleStanding; by: RoleStep<P> | undefined } {
    if (found !== undefined) return { role: 'held', by: { ...found, lapses: [] } }
    const by = this.#lapsed.find((step) => compiled.selectsRole(step.role))
    if (by !== undefined) return { role: 'lapsed', by }
    const { roles } = this.#domain
    const known =
      compiled.role === undefined
        ? [...roles.keys()].some((role) => compiled.selectsRole(role))
        : roles.has(compiled.role)
    return { role: known ? 'not-held' : 'unknown', by: undefined }
  }
}

function nearest<P extends PolicyView>(steps: readonly AssertionStep<P>[]): AssertionStep<P>[] {
  const distance = (step: AssertionStep<P>) => step.misses.length - (step.role === 'lapsed' ? 0.5 : 0)
  return steps
    .filter((step) => !step.denies && step.misses.length <= NEAR_MISS_COUNT)
    .sort((a, b) => distance(a) - distance(b))
    .slice(0, NEAREST_MISSES)
}
