import type { AssertionView } from '#core/rbac/compiled-policies.ts'
import { isGlob, patternsAfter } from '#core/rbac/glob.ts'
import { type RolePlan, RolePolicies } from '#core/rbac/role-policies.ts'
import type { AccessStatus } from './access-status.ts'

/** Which policies of a domain are in use, and since when. */
export interface PolicyVersion {
  readonly domain: string
  /** When the domain was last changed: the version of its policies. Epoch milliseconds. */
  readonly modifiedMillis: number
  /** Until when ZTS vouched for them. Epoch milliseconds. */
  readonly expiresMillis: number
  /** When they were taken over. Epoch milliseconds. */
  readonly loadedMillis: number
  /** Form of the file. */
  readonly form: 'signed' | 'jws'
  /** Key of ZTS that they are signed with. */
  readonly keyId: string
  /** The file that they were read from. */
  readonly file: string
}

/** An assertion as policies have it, made ready: role without domain, action and resource in lower case. */
export interface PolicyAssertion extends AssertionView {
  /** Full name of its policy. */
  readonly policy: string
  /** Local name, or a pattern. */
  readonly role: string
  readonly action: string
  /** Without the domain, when it is that of the policies, or a pattern that matches it. */
  readonly resource: string
  readonly effect: 'ALLOW' | 'DENY'
}

/** The answer to "may the bearer do this?". */
export interface AccessCheck {
  readonly status: AccessStatus
  /** Whether the status is `ALLOW`. */
  readonly granted: boolean
  /** Role of the assertion that decided; its pattern when it has wildcards. */
  readonly matchedRole: string | undefined
  /** The assertion that decided. */
  readonly assertion: PolicyAssertion | undefined
  /** The policies that were asked; undefined when the question did not get that far. */
  readonly policies: PolicyVersion | undefined
}

/** A check that ends with a status alone. */
export const checkOf = (status: AccessStatus, policies?: PolicyVersion, assertion?: PolicyAssertion): AccessCheck =>
  Object.freeze({ status, granted: status === 'ALLOW', matchedRole: assertion?.role, assertion, policies })

/** An assertion with the answer that it gives: made once, since it is given millions of times. */
class LoadedAssertion implements PolicyAssertion {
  readonly policy: string
  readonly role: string
  readonly action: string
  readonly resource: string
  readonly effect: 'ALLOW' | 'DENY'
  #check: AccessCheck | undefined

  constructor({ policy, role, action, effect }: PolicyAssertion, domain: string, resource: string) {
    this.policy = policy
    this.role = withoutPrefix(role, `${domain}:role.`)
    this.action = action.toLowerCase()
    this.resource = resource
    this.effect = effect
  }

  check(policies: PolicyVersion): AccessCheck {
    return (this.#check ??= checkOf(this.effect, policies, this))
  }
}

const withoutPrefix = (text: string, prefix: string): string =>
  text.startsWith(prefix) ? text.slice(prefix.length) : text

/**
 * What an assertion is about, without the domain. A pattern that does not begin with the domain may match it, too, as
 * `*:data` does: then it has a second meaning, the one that it has for the servers, which match names in full.
 */
function localResources(given: string, domain: string): readonly string[] {
  const resource = given.toLowerCase()
  const prefix = `${domain}:`
  if (resource.startsWith(prefix)) return [resource.slice(prefix.length)]
  return isGlob(resource) ? [...new Set([resource, ...patternsAfter(resource, prefix)])] : [resource]
}

/** What the roles of a credential select of the policies of one domain; see {@link DomainPolicies.plan}. */
export interface DomainPlan {
  /** The policies that it is for. */
  readonly of: DomainPolicies
  readonly roles: RolePlan<LoadedAssertion>
}

/** The policies of one domain, compiled: never changed, but replaced as a whole. */
export class DomainPolicies {
  readonly version: PolicyVersion
  readonly assertions: readonly PolicyAssertion[]
  readonly #policies: RolePolicies<LoadedAssertion>
  readonly #otherwise: AccessCheck
  readonly #deniesFromMillis: number
  readonly #expired: AccessCheck

  /**
   * `assertions` as the policies have them, in order. From `deniesFromMillis` on, every question is answered with
   * `DENY_DOMAIN_EXPIRED`; never when it is infinite.
   */
  constructor(
    version: PolicyVersion,
    assertions: readonly PolicyAssertion[],
    deniesFromMillis = Number.POSITIVE_INFINITY,
  ) {
    const { domain } = version
    const loaded = assertions.flatMap((each) =>
      localResources(each.resource, domain).map((resource) => new LoadedAssertion(each, domain, resource)),
    )
    this.version = version
    this.assertions = loaded
    this.#policies = new RolePolicies(loaded, { trailingStarCrossesLines: true })
    this.#otherwise = checkOf(loaded.length === 0 ? 'DENY_DOMAIN_EMPTY' : 'DENY_NO_MATCH', version)
    this.#deniesFromMillis = deniesFromMillis
    this.#expired = checkOf('DENY_DOMAIN_EXPIRED', version)
  }

  /** What roles, by local names, select. Keep it for the next question about the same roles. */
  plan(roles: readonly string[]): DomainPlan {
    return { of: this, roles: this.#policies.plan(roles) }
  }

  /** Decides; action and resource are in lower case, the resource without the domain. `plan` is one of these policies. */
  decide({ roles }: DomainPlan, action: string, resource: string, nowMillis: number): AccessCheck {
    if (nowMillis >= this.#deniesFromMillis) return this.#expired
    const found = this.#policies.decide(roles, action, resource)
    return found === undefined ? this.#otherwise : found.check(this.version)
  }

  /** The same policies without any assertion: what remains of a domain whose file was deleted. */
  emptied(nowMillis: number): DomainPolicies {
    return new DomainPolicies({ ...this.version, loadedMillis: nowMillis }, [])
  }
}
