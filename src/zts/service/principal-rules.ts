import type { Principal } from '#core/authority/principal.ts'
import { forbidden, unauthorized } from '#core/error/service-error.ts'
import { roleResourceName } from '#core/names/resource-name.ts'

/** Begins the labels of authorities that accept tokens of OpenID providers; more follows when there are several. */
const OPENID_AUTHORITY = 'Auth-OIDC'

const standsForRoles = ({ roles }: Principal): boolean => roles !== undefined && roles.length > 0
const isVouchedByOpenId = ({ authority }: Principal): boolean => authority.id.startsWith(OPENID_AUTHORITY)

/**
 * Whether a principal has no identity to get credentials with: it came with a role token or a role certificate, or an
 * OpenID provider vouches for it.
 */
export const isRoleIdentity = (principal: Principal): boolean =>
  standsForRoles(principal) || isVouchedByOpenId(principal)

const notForRoleIdentities = () => forbidden('Role Identity not authorized for request')

/** Refuses (403) what needs an identity of its own. */
export function refuseRoleIdentity(principal: Principal): void {
  if (isRoleIdentity(principal)) throw notForRoleIdentities()
}

/** Refuses (403) a service that acts for a principal by a signed token; `message` says what it may not do. */
export function refuseAuthorizedService({ authorizedService }: Principal, message: string): void {
  if (authorizedService !== undefined) throw forbidden(message)
}

/** Refuses (403) tokens of other domains to a service that acts for a principal: only its own domain trusts it. */
export function refuseForeignAuthorizedService({ authorizedService }: Principal, domain: string): void {
  if (authorizedService === undefined) return
  const own = authorizedService.slice(0, Math.max(authorizedService.lastIndexOf('.'), 0)).toLowerCase()
  if (own !== domain) {
    throw forbidden(`Authorized service domain ${own} does not match request domain ${domain}`)
  }
}

/**
 * Refuses (403) a token with roles (local names) that a principal which stands for roles does not stand for, and every
 * token to users of OpenID providers.
 */
export function refuseOtherRoles(
  principal: Principal,
  domain: string,
  roles: Iterable<string>,
  messagePrefix = '',
): void {
  if (isVouchedByOpenId(principal)) throw notForRoleIdentities()
  if (!standsForRoles(principal)) return
  const own = new Set(principal.roles?.map((role) => fullRoleName(principal.domain, role)))
  for (const role of roles) {
    if (own.has(roleResourceName(domain, role))) continue
    throw forbidden(`${messagePrefix}Role based Principal does not include all roles`)
  }
}

/** Role certificates name roles in full; role tokens name those of their domain. */
const fullRoleName = (domain: string, role: string): string =>
  (role.includes(':role.') ? role : roleResourceName(domain, role)).toLowerCase()

/** The principal of a request that needs one; 401 without. */
export function authenticated(principal: Principal | undefined): Principal {
  if (principal === undefined) throw unauthorized('Unauthenticated request')
  return principal
}
