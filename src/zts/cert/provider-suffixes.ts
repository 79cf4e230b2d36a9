import { roleResourceName } from '#core/names/resource-name.ts'
import type { Domains } from '../cache/domains.ts'
import type { CachedDomain } from '../cache/model.ts'
import type { RoleAccess } from '../cache/role-access.ts'

/** Ends of names that a provider may put into certificates, each with its dot. */
export interface NameSuffixes {
  readonly dns: readonly string[]
  readonly hostname: readonly string[]
  /** Host names that end so are refused. */
  readonly deniedHostname: readonly string[]
}

interface SuffixAssertion {
  /** Full name. */
  readonly role: string
  readonly denies: boolean
  readonly kind: 'dns' | 'hostname'
  readonly suffix: string
}

const SYSTEM_DOMAIN = 'sys.auth'
const ACTION = 'launch'
const PREFIXES = { dns: 'sys.auth:dns.', hostname: 'sys.auth:hostname.' } as const

/**
 * The suffixes of providers: resources `sys.auth:dns.{suffix}` and `sys.auth:hostname.{suffix}` of assertions with the
 * action `launch` in active policies of `sys.auth`, for the holders of their role.
 */
export class ProviderSuffixes {
  readonly #domains: Domains
  readonly #roleAccess: RoleAccess
  /** A domain in memory never changes: a new version takes its place. */
  readonly #assertions = new WeakMap<CachedDomain, readonly SuffixAssertion[]>()

  constructor(domains: Domains, roleAccess: RoleAccess) {
    this.#domains = domains
    this.#roleAccess = roleAccess
  }

  /** Those of a provider (full name, lower case). */
  of(provider: string): NameSuffixes {
    const found = { dns: [] as string[], hostname: [] as string[], deniedHostname: [] as string[] }
    const domain = this.#domains.get(SYSTEM_DOMAIN)
    if (domain === undefined) return found
    const roles = this.#roleAccess.rolesOf(domain, provider)
    const held = new Set<string>(roles.map((role) => roleResourceName(domain.name, role)))
    for (const { role, denies, kind, suffix } of this.#assertionsOf(domain)) {
      if (!held.has(role)) continue
      if (!denies) found[kind].push(suffix)
      else if (kind === 'hostname') found.deniedHostname.push(suffix)
    }
    return found
  }

  #assertionsOf(domain: CachedDomain): readonly SuffixAssertion[] {
    const assertions = this.#assertions.get(domain) ?? suffixAssertions(domain)
    this.#assertions.set(domain, assertions)
    return assertions
  }
}

function suffixAssertions(domain: CachedDomain): SuffixAssertion[] {
  const active = domain.policyVersions.filter((policy) => policy.active)
  return active
    .flatMap(({ assertions }) => assertions)
    .flatMap(({ role, resource, action, effect }) => {
      const name = resource.toLowerCase()
      const kind = name.startsWith(PREFIXES.dns) ? 'dns' : 'hostname'
      const prefix = PREFIXES[kind]
      if (action.toLowerCase() !== ACTION || !name.startsWith(prefix) || name.length === prefix.length) return []
      // The dot stays, so that `sports.cloud` is no end of `evilsports.cloud`.
      const suffix = name.slice(prefix.length - 1)
      return [{ role: role.toLowerCase(), denies: effect === 'DENY', kind, suffix }]
    })
}
