import { isGroupName, isMemberName } from '../names/principal-name.ts'
import { resourceDomain, roleResourceName } from '../names/resource-name.ts'
import { ASSUME_ROLE, type AssertionOf, type PolicyView } from './compiled-policies.ts'
import type { DomainView } from './domain-view.ts'
import { type AccessQuestion, refusalOf } from './evaluate.ts'
import { mostAlike } from './explain-likeness.ts'
import { type Ground, type Trace, type TracedAssertion, traceOf } from './explain-trace.ts'
import { type Change, decideAfter, withoutRefusal } from './explain-trial.ts'
import { type Lapse, Missing } from './holding.ts'
import { isDelegated, selectedRoles } from './memberships.ts'

/** Changes that together make a question pass. */
export interface Remedy<P extends PolicyView = PolicyView> {
  readonly changes: readonly Change<P>[]
  /** The assertion that then grants access; undefined when it is one of the changes. */
  readonly by: { readonly policy: P; readonly assertion: AssertionOf<P> } | undefined
}

const REMEDIES = 5
/** Each is a decision on a copy. */
const TRIALS = 40
/** Assertions of one kind that candidates are made from. */
const NEAR_ASSERTIONS = 10
/** A longer list of things to do helps nobody. */
const CHANGES = 10
// oxlint-disable-next-line no-control-regex -- assertions with them are refused
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/

/**
 * What would make a question pass, the smallest and most usual change first. Every candidate is tried on a copy of what it
 * changes, and only what then is allowed is given: a DENY may hang on the very role that is missing. Without a trace the
 * question was refused, and is looked at again as it would have to be asked.
 */
export function remediesFor<P extends PolicyView>(
  ground: Ground<P>,
  trace: Trace<P> | undefined,
): readonly Remedy<P>[] | Missing {
  if (trace !== undefined) return tried(ground, candidates(ground, trace))
  const refusals: Change<P>[] = []
  let { question } = ground
  for (;;) {
    const refusal = refusalOf(ground.domain, question)
    if (refusal === undefined) break
    if (refusal === 'domain-disabled') return []
    refusals.push({ kind: 'avoid-refusal', refusal })
    question = withoutRefusal(question, refusal)
  }
  const asked = { ...ground, question }
  const again = traceOf(asked)
  if (again instanceof Missing) return again
  return tried(ground, prefixed(refusals, candidates(asked, again)))
}

function tried<P extends PolicyView>(ground: Ground<P>, given: Iterable<readonly Change<P>[]>): Remedy<P>[] {
  const remedies: Remedy<P>[] = []
  const seen: (readonly Change<P>[])[] = []
  const selfDelegating = delegatesToItself(ground.domain)
  for (const changes of given) {
    // The copy keeps its delegations, which these changes might change.
    if (selfDelegating && changes.some((change) => mayDelegate(change, ground.question))) continue
    if (remedies.length >= REMEDIES || seen.length >= TRIALS) break
    if (changes.length > CHANGES || remedies.some((remedy) => includesAll(changes, remedy.changes))) continue
    if (seen.some((other) => other.length === changes.length && includesAll(changes, other))) continue
    seen.push(changes)
    const decision = decideAfter(ground, changes)
    if (decision.outcome !== 'allow') continue
    const added = changes.some(({ kind }) => kind === 'add-assertion')
    remedies.push({ changes, by: added ? undefined : decision.by })
  }
  return remedies
}

/** Whether a role is delegated to its own domain; servers refuse to write such a role, but older data may have one. */
const delegatesToItself = ({ name, roles }: DomainView): boolean =>
  [...roles.values()].some((role) => isDelegated(role) && role.trust.toLowerCase() === name)

/** Whether a change of policies may be about who may assume a role. */
const mayDelegate = ({ kind }: Change, { action }: AccessQuestion): boolean =>
  kind === 'activate-version' ||
  kind === 'remove-assertion' ||
  (kind === 'add-assertion' && action.toLowerCase() === ASSUME_ROLE)

/** Nothing first: it is enough where others changes come before. */
function* candidates<P extends PolicyView>(ground: Ground<P>, trace: Trace<P>): Generator<readonly Change<P>[]> {
  const denying = trace.assertions.filter((step) => step.denies && step.misses.length === 0)
  const removals = denying.map(({ policy, assertion }) => ({ kind: 'remove-assertion', policy, assertion }) as const)
  yield removals
  const by = denying[0]?.by
  if (by?.holding?.via === 'direct' && denying.every((step) => step.by?.role === by.role)) {
    yield [{ kind: 'remove-member', domain: ground.domain.name, role: by.role }]
  }
  yield* prefixed(removals, grants(ground, trace))
}

/** Changes after which an ALLOW may apply. */
function* grants<P extends PolicyView>(ground: Ground<P>, trace: Trace<P>): Generator<readonly Change<P>[]> {
  const { question } = ground
  // The most particular first: a role that may do everything is the last that somebody should be given.
  const lacking = mostAlike(
    trace.assertions.filter(({ denies, misses }) => !denies && misses.length === 1 && misses[0] === 'role'),
    question,
  )
  const boundless = lacking.filter(isBoundless)
  const bounded = lacking.filter((step) => !isBoundless(step))
  const hasRoleNames = question.principal.roles !== undefined
  if (!hasRoleNames) yield* lapsesMended(trace, lacking)
  yield* activations(trace)
  const given = hasRoleNames ? rolesNamed : rolesGiven
  yield* given(ground, bounded)
  yield* assertionsAdded(ground, trace)
  yield* given(ground, boundless)
}

/** Whether an assertion allows everything in a domain, as that of its administrators does. */
const isBoundless = ({ assertion: { action, resource } }: TracedAssertion<PolicyView>): boolean =>
  action === '*' && (resource === '*' || resource.endsWith(':*'))

/** Roles that a credential with names of roles would have to name. */
function* rolesNamed<P extends PolicyView>(
  { domain }: Ground<P>,
  lacking: readonly TracedAssertion<P>[],
): Generator<readonly Change<P>[]> {
  for (const { compiled } of lacking.slice(0, NEAR_ASSERTIONS)) {
    const [role] = selectedRoles(domain, compiled)
    if (role !== undefined) yield [{ kind: 'name-role', role: roleResourceName(domain.name, role) }]
  }
}

/** Entries made to count that are there already. */
function* lapsesMended<P extends PolicyView>(
  trace: Trace<P>,
  lacking: readonly TracedAssertion<P>[],
): Generator<readonly Change<P>[]> {
  const lapsed = trace.roles.filter(
    ({ role, lapses }) => lapses.length > 0 && lacking.some(({ compiled }) => compiled.selectsRole(role)),
  )
  for (const state of ['pending', 'expired', 'disabled'] as const) {
    for (const { lapses } of lapsed) {
      for (const lapse of lapses) if (lapse.state === state) yield [mending(lapse)]
    }
  }
  for (const { lapses } of lapsed) if (lapses.length > 1) yield lapses.map(mending)
}

const MENDING = { pending: 'approve-member', expired: 'renew-member', disabled: 'enable-member' } as const

const mending = (lapse: Lapse) => ({ kind: MENDING[lapse.state], lapse }) as const

/** Versions of policies that would grant access. */
function* activations<P extends PolicyView>({ inactive }: Trace<P>): Generator<readonly Change<P>[]> {
  const granting = inactive.filter((step) => !step.denies && step.role === 'held')
  for (const policy of new Set(granting.map((step) => step.policy))) yield [{ kind: 'activate-version', policy }]
}

/** The principal let into roles that assertions about the action and resource name. */
function* rolesGiven<P extends PolicyView>(
  ground: Ground<P>,
  lacking: readonly TracedAssertion<P>[],
): Generator<readonly Change<P>[]> {
  const { domain, question } = ground
  if (!isNameable(question.principal.fullName)) return
  // Where an entry has lapsed, the way is to mend it.
  for (const { compiled } of lacking.filter(({ role }) => role === 'not-held').slice(0, NEAR_ASSERTIONS)) {
    const selected = selectedRoles(domain, compiled)
    const own = ownRole(domain, selected)
    if (own !== undefined) yield [{ kind: 'add-member', domain: domain.name, role: own }]
    else if (selected[0] !== undefined) yield* delegationsUsed(ground, selected[0])
  }
  for (const { compiled } of lacking.filter(({ role }) => role === 'unknown').slice(0, NEAR_ASSERTIONS)) {
    if (compiled.role) yield [{ kind: 'create-role', domain: domain.name, role: compiled.role }]
  }
}

/** The first that is not delegated, and so may be given members. */
const ownRole = ({ roles }: DomainView, names: readonly string[]): string | undefined =>
  names.find((name) => !roles.get(name)?.trust)

/** The principal let into a role of the trusted domain that may assume a delegated role. */
function* delegationsUsed<P extends PolicyView>(
  { domain, lookup }: Ground<P>,
  roleName: string,
): Generator<readonly Change<P>[]> {
  const trust = domain.roles.get(roleName)?.trust?.toLowerCase()
  const home = trust === undefined || trust === domain.name ? domain : lookup(trust)
  if (!home) return
  for (const delegation of home.policies.delegations(roleResourceName(domain.name, roleName))) {
    const role = ownRole(home, selectedRoles(home, delegation))
    if (role !== undefined) yield [{ kind: 'add-member', domain: home.name, role }]
  }
}

/** A new assertion for a role that is held, the one of the nearest assertions first, or for a new role. */
function* assertionsAdded<P extends PolicyView>(
  { domain, question }: Ground<P>,
  { roles, assertions }: Trace<P>,
): Generator<readonly Change<P>[]> {
  if (!isAssertable(question)) return
  const near = mostAlike(
    assertions.filter(({ denies, misses, by }) => !denies && misses.length === 1 && by?.holding !== undefined),
    question,
  )
  const held = [...near.flatMap(({ by }) => (by ? [by.role] : [])), ...roles.flatMap(heldRole)]
  // One is enough: which role it should be only the administrators know.
  if (held[0] !== undefined) yield [{ kind: 'add-assertion', domain: domain.name, role: held[0] }]
  if (question.principal.roles !== undefined || !isNameable(question.principal.fullName)) return
  yield [
    { kind: 'create-role', domain: domain.name, role: undefined },
    { kind: 'add-assertion', domain: domain.name, role: undefined },
  ]
}

const heldRole = ({ role, holding }: Trace<PolicyView>['roles'][number]): string[] =>
  holding === undefined ? [] : [role]

/** Whether the name can be written into a role as one principal. */
const isNameable = (name: string): boolean => isMemberName(name) && !name.includes('*') && !isGroupName(name)

/** Whether an assertion can be written that is about the action and resource of a question. */
const isAssertable = ({ action, resource }: AccessQuestion): boolean =>
  action !== '' && resourceDomain(resource) !== undefined && !CONTROL.test(action) && !CONTROL.test(resource)

function* prefixed<P extends PolicyView>(
  first: readonly Change<P>[],
  given: Iterable<readonly Change<P>[]>,
): Generator<readonly Change<P>[]> {
  for (const changes of given) yield [...first, ...changes]
}

const includesAll = (all: readonly Change[], some: readonly Change[]): boolean =>
  some.every((change) => all.some((other) => isSame(change, other)))

/** Policies, assertions and entries count as the objects they are. */
function isSame(a: Change, b: Change): boolean {
  if ('lapse' in a || 'lapse' in b) {
    return 'lapse' in a && 'lapse' in b && a.lapse.entry === b.lapse.entry && a.lapse.group === b.lapse.group
  }
  const others = new Map<string, unknown>(Object.entries(b))
  return Object.entries(a).every(([member, value]) => others.get(member) === value)
}
