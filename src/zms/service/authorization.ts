import type { Principal } from '#core/authority/principal.ts'
import { forbidden, notFound, type ServiceError } from '#core/error/service-error.ts'
import type { PolicyView } from '#core/rbac/compiled-policies.ts'
import type { DomainView } from '#core/rbac/domain-view.ts'
import { type AccessQuestion, type Decision, domainOfQuestion, evaluate } from '#core/rbac/evaluate.ts'
import { homeDomain } from '#core/rbac/home-domain.ts'
import type { Domain, Policy } from '../store/model.ts'
import type { Store } from '../store/store.ts'
import { viewOf } from './domain-views.ts'

/** Settings of authorization. */
export interface AuthorizationSettings {
  userDomain: string
  homeDomain: string
  /** Users may act in their home domain before it exists. */
  virtualDomainSupport: boolean
}

/** A decision about data that had to be loaded is a promise; one about data in memory is not. */
export type MaybePromise<T> = T | Promise<T>

/** Decides who may do what, on data that is never older than the question. */
export class Authorization {
  readonly #store: Store
  readonly #settings: AuthorizationSettings
  readonly #now: () => number

  constructor(store: Store, settings: AuthorizationSettings, now: () => number) {
    this.#store = store
    this.#settings = settings
    this.#now = now
  }

  /**
   * The check that an operation declares, before anything else looks at the request: undefined when it is passed, else
   * the error to answer. 403 when the credential is not good for authorization, 404 without the domain, 403 when the domain
   * is disabled or the principal may not.
   */
  check(principal: Principal, action: string, resource: string): MaybePromise<ServiceError | undefined> {
    if (principal.mtlsRestricted) return forbidden('mTLS Restricted')
    if (!principal.authority.allowAuthorization) return forbidden('Forbidden')
    const target = this.#ownResource(principal, resource.toLowerCase())
    const name = domainOfQuestion(action, target)
    if (name === undefined) return notFound('Domain not found')
    const conclude = (domain: DomainView | undefined): MaybePromise<ServiceError | undefined> => {
      if (!domain) return notFound('Domain not found')
      if (!domain.enabled) return forbidden('Disabled Domain')
      const question = { principal, action, resource: target, now: this.#now() }
      return chain(this.decide(domain, question), (decision) =>
        decision.outcome === 'allow' ? undefined : forbidden('Forbidden'),
      )
    }
    return this.withDomain(principal, name, conclude)
  }

  /**
   * Whether the principal may, for checks inside of operations; false without the domain. A disabled domain is asked like
   * any other: only declared checks and access decisions refuse it. `held` is a domain as a transaction has it: it is
   * current as long as the transaction lasts, and the store is not asked for it again.
   */
  async isAllowed(principal: Principal, action: string, resource: string, held?: Domain): Promise<boolean> {
    if (principal.mtlsRestricted || !principal.authority.allowAuthorization) return false
    const target = this.#ownResource(principal, resource.toLowerCase())
    const name = domainOfQuestion(action, target)
    if (name === undefined) return false
    const domain = held?.name === name ? viewOf(held) : await this.domainFor(principal, name)
    if (!domain) return false
    const { roles, groups, policies } = domain
    const question = { principal, action, resource: target, now: this.#now() }
    return (await this.decide({ name, enabled: true, roles, groups, policies }, question)).outcome === 'allow'
  }

  /** Whether the principal is a system administrator: a user who may create top-level domains. */
  async isSystemAdministrator(principal: Principal): Promise<boolean> {
    return principal.domain === this.#settings.userDomain && this.isAllowed(principal, 'create', 'sys.auth:domain')
  }

  /**
   * The domain that answers a question of this principal: the stored one, or, when there is none, the home domain of the
   * user as if it existed. Undefined when there is neither.
   */
  domainFor(
    principal: Pick<Principal, 'domain' | 'name' | 'fullName'>,
    name: string,
  ): MaybePromise<DomainView | undefined> {
    return this.withDomain(principal, name, (domain) => domain)
  }

  /** Hands that domain on to what needs it. */
  withDomain<R>(
    principal: Pick<Principal, 'domain' | 'name' | 'fullName'>,
    name: string,
    proceed: (domain: DomainView | undefined) => MaybePromise<R>,
  ): MaybePromise<R> {
    return chain(this.#store.domain(name), (domain) => proceed(domain ? viewOf(domain) : this.#home(principal, name)))
  }

  /** The engine's view of a stored domain. */
  view(domain: Domain): DomainView<Policy> {
    return viewOf(domain)
  }

  /** Decides a question; domains of groups and delegated roles are loaded as they turn out to be needed. */
  decide<P extends PolicyView>(
    domain: DomainView<P>,
    question: AccessQuestion,
  ): MaybePromise<Exclude<Decision<P>, { outcome: 'needs' }>> {
    return this.#decideWith(domain, question, undefined)
  }

  #decideWith<P extends PolicyView>(
    domain: DomainView<P>,
    question: AccessQuestion,
    others: ReadonlyMap<string, DomainView<P> | null> | undefined,
  ): MaybePromise<Exclude<Decision<P>, { outcome: 'needs' }>> {
    const decision = evaluate(domain, question, (name) => (name === domain.name ? domain : others?.get(name)))
    if (decision.outcome !== 'needs') return decision
    return chain(this.#store.domains(decision.domains), (found) => {
      const loaded = new Map(others)
      for (const name of decision.domains) {
        const stored = found.get(name)
        loaded.set(name, stored ? (viewOf(stored) as unknown as DomainView<P>) : null)
      }
      return this.#decideWith(domain, question, loaded)
    })
  }

  #home(
    { domain, name, fullName }: Pick<Principal, 'domain' | 'name' | 'fullName'>,
    asked: string,
  ): DomainView | undefined {
    const { userDomain, homeDomain: home, virtualDomainSupport } = this.#settings
    if (!virtualDomainSupport || domain !== userDomain || name === undefined) return undefined
    return asked === `${home}.${name}` ? homeDomain(asked, fullName) : undefined
  }

  /** Resources of `user.` mean the home domain of the user where users and their homes have other names. */
  #ownResource(principal: Principal, resource: string): string {
    if (!resource.startsWith(LITERAL_USER)) return resource
    const { userDomain, homeDomain: home } = this.#settings
    if (userDomain === home) return `${userDomain}.${resource.slice(LITERAL_USER.length)}`
    const colon = resource.indexOf(':')
    if (colon < 0) return resource
    const user = resource.slice(LITERAL_USER.length, colon)
    const mapped = principal.authority.userDomainName?.(user) ?? user
    return `${home}.${mapped}${resource.slice(colon)}`
  }
}

const LITERAL_USER = 'user.'

/** Applies `proceed` at once to a value, or later to what a promise brings. */
export function chain<T, R>(value: MaybePromise<T>, proceed: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return value instanceof Promise ? value.then(proceed) : proceed(value)
}
