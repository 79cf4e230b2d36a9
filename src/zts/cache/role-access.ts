import { roleResourceName } from '#core/names/resource-name.ts'
import { rolesOf } from '#core/rbac/memberships.ts'
import type { Domains } from './domains.ts'
import type { CachedDomain } from './model.ts'

/** Which roles are asked for. */
export interface RequestedRoles {
  readonly names: readonly string[]
  /**
   * `exact`: local names. `loose`: a role counts when its full name ends with the text, so that full names work and
   * `admin` finds `super-admin`, too; clients rely on it.
   */
  readonly match: 'exact' | 'loose'
}

/** The roles that principals hold, by the rules of tokens and certificates. */
export class RoleAccess {
  readonly #domains: Domains
  readonly #now: () => number

  constructor(domains: Domains, now: () => number) {
    this.#domains = domains
    this.#now = now
  }

  /** Local names of the roles of a domain that a principal (lower-case full name) holds now; all unless some are asked for. */
  rolesOf(domain: CachedDomain, principal: string, requested?: RequestedRoles): string[] {
    const lookup = (name: string) => this.#domains.get(name) ?? null
    const question = { principal, now: this.#now(), rules: 'token' } as const
    const answer = rolesOf(domain, question, lookup, candidates(domain, principal, requested))
    // Every domain that exists is in memory: nothing can be missing.
    if (answer.outcome === 'needs') throw new Error(`roles of ${principal} cannot be told`)
    return answer.roles.map(({ role }) => role)
  }
}

function* candidates(domain: CachedDomain, principal: string, requested?: RequestedRoles): Generator<string> {
  const fits = requested && fitting(domain.name, requested)
  for (const role of domain.rolesToJudge(principal)) if (!fits || fits(role)) yield role
}

function fitting(domain: string, { names, match }: RequestedRoles): (role: string) => boolean {
  if (match === 'loose') return (role) => names.some((name) => roleResourceName(domain, role).endsWith(name))
  const wanted = new Set(names)
  return (role) => wanted.has(role)
}
