import type { Principal } from '#core/authority/principal.ts'
import { forbidden, notFound, type ServiceError } from '#core/error/service-error.ts'
import { domainOfQuestion, evaluate, type PrincipalView } from '#core/rbac/evaluate.ts'
import type { Domains } from '../cache/domains.ts'

/** Settings of authorization. */
export interface AuthorizationSettings {
  /** Whether the roles that a credential names count instead of the memberships of its holder. */
  readonly rolesOfCredentials: boolean
}

/** A question that cannot be answered, since the domain that it is about is not known here. */
export const UNKNOWN_DOMAIN = Symbol('unknown domain')

/** Decides who may do what, on the domains in memory: it waits for nothing. */
export class Authorization {
  readonly #domains: Domains
  readonly #settings: AuthorizationSettings
  readonly #now: () => number

  constructor(domains: Domains, settings: AuthorizationSettings, now: () => number) {
    this.#domains = domains
    this.#settings = settings
    this.#now = now
  }

  /**
   * The check that an operation declares, before anything else looks at the request: undefined when it is passed, else
   * the error to answer. 404 without the domain, 403 when the principal may not.
   */
  check(principal: Principal, action: string, resource: string): ServiceError | undefined {
    if (principal.mtlsRestricted) return forbidden('mTLS Restricted')
    const answer = this.decide(principal, action, resource)
    if (answer === UNKNOWN_DOMAIN) return notFound('Domain not found')
    return answer ? undefined : forbidden('Forbidden')
  }

  /**
   * Whether the bearer of a credential may; false without the domain. Letter case does not matter. With a trust domain,
   * that one answers for the action `assume_role`, and only roles delegated to it count as delegated.
   */
  isAllowed(principal: Principal, action: string, resource: string, trustDomain?: string): boolean {
    return this.decide(principal, action, resource, trustDomain) === true
  }

  /** Whether somebody, given by full name, may by membership; false without the domain. */
  mayPrincipal(fullName: string, action: string, resource: string): boolean {
    return this.decide({ fullName }, action, resource) === true
  }

  /** As {@link isAllowed}, for callers that tell a refusal from a domain that is not known. */
  decide(
    principal: PrincipalView & Partial<Pick<Principal, 'authority'>>,
    action: string,
    resource: string,
    trustDomain?: string,
  ): boolean | typeof UNKNOWN_DOMAIN {
    if (principal.mtlsRestricted || principal.authority?.allowAuthorization === false) return false
    const name = domainOfQuestion(action, resource, trustDomain)
    const domain = name === undefined ? undefined : this.#domains.get(name)
    if (domain === undefined) return UNKNOWN_DOMAIN
    const { fullName } = principal
    const roles = this.#settings.rolesOfCredentials ? principal.roles : undefined
    const question = { principal: { fullName, roles }, action, resource, trustDomain, now: this.#now() }
    const decision = evaluate(domain, question, (other) => this.#domains.get(other) ?? null)
    return decision.outcome === 'allow'
  }
}
