import type { PolicyView } from './compiled-policies.ts'
import type { DomainLookup, DomainView, Needs } from './domain-view.ts'
import { type AccessQuestion, type Decision, evaluate, refusalOf } from './evaluate.ts'
import { mostAlike } from './explain-likeness.ts'
import { type Remedy, remediesFor } from './explain-remedies.ts'
import { type AssertionStep, type InactiveVersions, type RoleStep, type Trace, traceOf } from './explain-trace.ts'
import { Missing, needs } from './holding.ts'

/** A decision and how it came about. */
export interface Explanation<P extends PolicyView = PolicyView> {
  readonly outcome: 'explained'
  readonly domain: string
  readonly question: AccessQuestion
  readonly decision: Exclude<Decision<P>, Needs>
  /** In the domain's order; empty when the question was refused before any role was looked at. */
  readonly roles: readonly RoleStep<P>[]
  /** All assertions in force, in order; empty likewise. */
  readonly assertions: readonly AssertionStep<P>[]
  /** Of the versions that are not in force, the assertions about this action and resource. */
  readonly inactive: readonly AssertionStep<P>[]
  /** When nothing matched: the ALLOW assertions that lack least, the most useful first. */
  readonly nearestMisses: readonly AssertionStep<P>[]
  /** When access is not granted: what would make it pass, the smallest change first. Each has been tried on a copy. */
  readonly remedies: readonly Remedy<P>[]
}

const NEAREST_MISSES = 5
/** An assertion that differs in everything is not near. */
const NEAR_MISS_COUNT = 2
const NOTHING: Trace<never> = Object.freeze({ roles: [], assertions: [], inactive: [] })

/**
 * Decides as {@link evaluate} does and tells how: what the principal holds, how each assertion fared, what came nearest
 * and what would make the question pass. Looks at every role and assertion of the domain, and so may need more domains
 * than the decision does.
 */
export function explain<P extends PolicyView>(
  domain: DomainView<P>,
  question: AccessQuestion,
  lookup: DomainLookup<P>,
  inactive?: InactiveVersions<P>,
): Explanation<P> | Needs {
  const decision = evaluate(domain, question, lookup)
  if (decision.outcome === 'needs') return decision
  const ground = { domain, question, lookup, inactive }
  const refused = refusalOf(domain, question) !== undefined
  const trace = refused ? NOTHING : traceOf(ground)
  if (trace instanceof Missing) return needs([trace])
  const remedies = decision.outcome === 'allow' ? [] : remediesFor(ground, refused ? undefined : trace)
  if (remedies instanceof Missing) return needs([remedies])
  const { roles, assertions, inactive: others } = trace
  return {
    outcome: 'explained',
    domain: domain.name,
    question,
    decision,
    roles,
    assertions,
    inactive: others,
    nearestMisses: decision.outcome === 'no-match' ? nearest([...assertions, ...others], question) : [],
    remedies,
  }
}

/** The ALLOW assertions that lack least; of those that lack as much, what takes least effort, then what reads most alike. */
function nearest<P extends PolicyView>(
  steps: readonly AssertionStep<P>[],
  question: AccessQuestion,
): AssertionStep<P>[] {
  const near = steps.filter((step) => !step.denies && step.misses.length <= NEAR_MISS_COUNT)
  return mostAlike(near, question)
    .sort((a, b) => effortOf(a) - effortOf(b))
    .slice(0, NEAREST_MISSES)
}

const LAPSE_EFFORTS = { pending: 0.4, expired: 0.5, disabled: 0.6 } as const

function effortOf({ misses, role, by }: AssertionStep): number {
  if (role === 'unknown') return misses.length + 0.1
  if (role !== 'lapsed') return misses.length
  const efforts = (by?.lapses ?? []).map(({ state }) => LAPSE_EFFORTS[state])
  return misses.length - 1 + Math.min(...efforts)
}
