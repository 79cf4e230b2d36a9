import type { Principal } from '#core/authority/principal.ts'
import { forbidden, type ServiceError } from '#core/error/service-error.ts'
import type { CachedDomain } from '../cache/model.ts'
import type { RequestedRoles, RoleAccess } from '../cache/role-access.ts'

/** Who may ask for tokens of other principals. */
export class ProxyUsers {
  readonly #names: ReadonlySet<string>

  /** Full names, in any letter case. */
  constructor(names: Iterable<string>) {
    this.#names = new Set([...names].map((name) => name.toLowerCase()))
  }

  includes({ fullName }: Principal): boolean {
    return this.#names.has(fullName)
  }
}

/** Whose roles of a domain a token shall name. */
export interface RoleGrantQuestion {
  readonly roleAccess: RoleAccess
  readonly domain: CachedDomain
  /** Full name of who asks. */
  readonly caller: string
  /** Full name of whom the token is for, when not for the caller. */
  readonly proxied: string | undefined
  /** Roles asked for; all when undefined. */
  readonly names: readonly string[] | undefined
  /** How they are asked for; `loose` unless given. */
  readonly match?: RequestedRoles['match']
  /** Lower-case operation id, which begins the message of a refusal. */
  readonly api: string
  /** Looked at between the roles of the caller and those of the proxied principal. */
  readonly beforeProxied?: () => void
}

/**
 * Local names of the roles for a token: those of the caller, or those that it has in common with the principal for
 * whom it asks. Throws `forbidden`, naming who of both has none, when there are none.
 */
export function grantedRoles(question: RoleGrantQuestion): readonly string[] {
  const { caller, proxied, beforeProxied } = question
  const own = heldRoles(question, caller)
  if (proxied === undefined) return own
  beforeProxied?.()
  const others = new Set(rolesOf(question, proxied))
  const common = own.filter((role) => others.has(role))
  if (common.length === 0) throw noRoles(question, proxied)
  return common
}

/** As {@link grantedRoles}, for one principal. */
export function heldRoles(
  question: Omit<RoleGrantQuestion, 'caller' | 'proxied'>,
  principal: string,
): readonly string[] {
  const roles = rolesOf(question, principal)
  if (roles.length === 0) throw noRoles(question, principal)
  return roles
}

type RolesQuestion = Pick<RoleGrantQuestion, 'roleAccess' | 'domain' | 'names' | 'match'>

const rolesOf = ({ roleAccess, domain, names, match = 'loose' }: RolesQuestion, principal: string): readonly string[] =>
  roleAccess.rolesOf(domain, principal, names && { names, match })

function noRoles(
  { domain, names, api }: Pick<RoleGrantQuestion, 'domain' | 'names' | 'api'>,
  principal: string,
): ServiceError {
  const what = names === undefined ? 'any role' : 'the requested role(s)'
  return forbidden(`${api}: principal ${principal} is not included in ${what} in domain ${domain.name}`)
}
