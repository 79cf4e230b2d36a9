import { resourceDomain, roleResourceName } from '../names/resource-name.ts'
import { ASSUME_ROLE, type AssertionOf, type CompiledAssertion, type PolicyView } from './compiled-policies.ts'
import type { DomainLookup, DomainView, Needs } from './domain-view.ts'
import { type HeldRole, type Holding, type Lapse, Missing, needs } from './holding.ts'
import { Memberships } from './memberships.ts'

/** What the engine reads of the principal of a question. */
export interface PrincipalView {
  /** Full name. */
  readonly fullName: string
  /** Given when the credential is a role token or role certificate: those roles count instead of memberships. */
  readonly roles?: readonly string[] | undefined
  /** A certificate that may authenticate only: every question is denied. */
  readonly mtlsRestricted?: boolean | undefined
}

/** May the principal do the action on the resource? Letter case does not matter. */
export interface AccessQuestion {
  readonly principal: PrincipalView
  readonly action: string
  readonly resource: string
  /** When given, only roles delegated to this domain count as delegated. */
  readonly trustDomain?: string | undefined
  /** Epoch milliseconds. */
  readonly now: number
}

/** The principal's credential names the role. */
export interface CredentialHolding {
  readonly via: 'credential'
  /** The role as the credential has it, by full or local name. */
  readonly role: string
}

/** The assertion that decided, and through which role it applies to the principal. */
export interface DecidingAssertion<P extends PolicyView = PolicyView> {
  readonly policy: P
  readonly assertion: AssertionOf<P>
  /** Local name. */
  readonly role: string
  readonly holding: Holding<P> | CredentialHolding
}

/** Why a question is denied before any assertion is looked at. */
export type Refusal =
  /** The domain is disabled. */
  | 'domain-disabled'
  /** The certificate may only authenticate. */
  | 'mtls-restricted'
  /** A credential that names roles cannot be used together with a trust domain. */
  | 'trust-domain-with-roles'
  /** The credential names a role of another domain. */
  | 'role-of-other-domain'

/** The answer to a question. Only `allow` grants access. */
export type Decision<P extends PolicyView = PolicyView> =
  | { readonly outcome: 'allow'; readonly by: DecidingAssertion<P> }
  | { readonly outcome: 'deny'; readonly reason: 'assertion'; readonly by: DecidingAssertion<P> }
  | { readonly outcome: 'deny'; readonly reason: Refusal }
  | { readonly outcome: 'no-match' }
  | Needs

const NO_MATCH = Object.freeze({ outcome: 'no-match' })

/**
 * The domain whose policies answer a question, in lower case: the trust domain for the action `assume_role`, if one is
 * given, else what precedes the first colon of the resource; undefined when there is no colon or nothing before it.
 */
export function domainOfQuestion(action: string, resource: string, trustDomain?: string): string | undefined {
  if (trustDomain !== undefined && action.toLowerCase() === ASSUME_ROLE) return trustDomain.toLowerCase()
  return resourceDomain(resource)?.toLowerCase()
}

/**
 * Decides over the active policies of a domain. An assertion applies when its action, its resource and one of its roles
 * match; a DENY that applies wins over every ALLOW, and without one that applies access is not granted. Pure and
 * synchronous: when the answer hangs on domains that the lookup has not loaded, they are the answer.
 */
export function evaluate<P extends PolicyView>(
  domain: DomainView<P>,
  question: AccessQuestion,
  lookup: DomainLookup<P>,
): Decision<P> {
  const refusal = refusalOf(domain, question)
  if (refusal !== undefined) return { outcome: 'deny', reason: refusal }
  const matching = domain.policies.matching(question.action.toLowerCase(), question.resource.toLowerCase())
  return decideAmong(matching, rolesHeld(domain, question, lookup))
}

/** Decides among assertions whose action and resource match: {@link evaluate}, without what may refuse the question before. */
export function decideAmong<P extends PolicyView>(
  matching: readonly CompiledAssertion<P>[],
  held: RolesHeld<P>,
): Decision<P> {
  let allowed: DecidingAssertion<P> | undefined
  let mayDeny: Missing[] | undefined
  let mayAllow: Missing[] | undefined
  for (const candidate of matching) {
    if (allowed !== undefined && !candidate.denies) continue
    const found = held.selected(candidate)
    if (found === undefined) continue
    if (found instanceof Missing) {
      if (candidate.denies) (mayDeny ??= []).push(found)
      else (mayAllow ??= []).push(found)
      continue
    }
    const { policy, assertion } = candidate
    const by = { policy, assertion, role: found.role, holding: found.holding }
    if (candidate.denies) return { outcome: 'deny', reason: 'assertion', by }
    allowed = by
  }
  if (mayDeny !== undefined) return needs(allowed === undefined && mayAllow ? [...mayDeny, ...mayAllow] : mayDeny)
  if (allowed !== undefined) return { outcome: 'allow', by: allowed }
  return mayAllow === undefined ? NO_MATCH : needs(mayAllow)
}

/** Which roles of the domain the principal of a question holds, for decisions and explanations. */
export interface RolesHeld<P extends PolicyView> {
  /** How the role of that local name is held, if it is. */
  holding(roleName: string): Holding<P> | CredentialHolding | Missing | undefined
  /** The first role that the assertion selects and that is held. */
  selected(assertion: CompiledAssertion<P>): HeldRole<Holding<P> | CredentialHolding> | Missing | undefined
}

/** The roles named by the principal's credential if it names any, else those it is a member of. */
export function rolesHeld<P extends PolicyView>(
  domain: DomainView<P>,
  { principal, trustDomain, now }: AccessQuestion,
  lookup: DomainLookup<P>,
  onLapse?: (lapse: Lapse) => void,
): RolesHeld<P> {
  if (principal.roles !== undefined) return new CredentialRoles(domain, principal.roles)
  return new Memberships(domain, { principal: principal.fullName, trustDomain, now }, lookup, onLapse)
}

/** Why the question is denied whatever the policies say, if it is. */
export function refusalOf(domain: DomainView, question: AccessQuestion): Refusal | undefined {
  const { principal, trustDomain } = question
  if (!domain.enabled) return 'domain-disabled'
  if (principal.roles !== undefined) {
    if (trustDomain !== undefined) return 'trust-domain-with-roles'
    const nameIsDomain = principal.fullName === domain.name
    const foreign = (role: string) =>
      !role.startsWith(roleResourceName(domain.name, '')) && (role.includes(':role.') || !nameIsDomain)
    if (principal.roles.some(foreign)) return 'role-of-other-domain'
  }
  return principal.mtlsRestricted ? 'mtls-restricted' : undefined
}

/** Roles that a credential names, by full or local name; those that the domain no longer has do not count. */
class CredentialRoles<P extends PolicyView> implements RolesHeld<P> {
  /** By local name. */
  readonly #holdings = new Map<string, CredentialHolding>()

  constructor(domain: DomainView<P>, roles: readonly string[]) {
    const prefix = roleResourceName(domain.name, '')
    for (const role of roles) {
      const local = role.startsWith(prefix) ? role.slice(prefix.length) : role
      if (domain.roles.has(local) && !this.#holdings.has(local)) this.#holdings.set(local, { via: 'credential', role })
    }
  }

  holding(roleName: string): CredentialHolding | undefined {
    return this.#holdings.get(roleName)
  }

  selected(assertion: CompiledAssertion<P>): HeldRole<CredentialHolding> | undefined {
    if (assertion.role !== undefined) {
      const holding = this.#holdings.get(assertion.role)
      return holding && { role: assertion.role, holding }
    }
    for (const [role, holding] of this.#holdings) if (assertion.selectsRole(role)) return { role, holding }
    return undefined
  }
}
