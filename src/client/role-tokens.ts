import type { RoleToken } from '#zts/api/role-token.ts'
import { cacheKey, listOf, roleList } from './cache-key.ts'
import { isFreshWithin, type LifeBounds } from './token-freshness.ts'
import type { TokenCall, TokenKind } from './token-keeper.ts'
import type { ZtsCalls } from './zts-calls.ts'

/** Which role token is wanted. */
export interface RoleTokenOptions extends LifeBounds, TokenCall {
  /** Roles that the token names; all that are held in the domain unless given. */
  readonly role?: string | readonly string[]
  /** On behalf of whom: a principal for whom the caller may act. */
  readonly proxyForPrincipal?: string
}

/** A request for a role token. */
export interface RoleTokenRequest extends LifeBounds {
  readonly domain: string
  readonly role: string | undefined
  readonly proxyForPrincipal: string | undefined
}

/** What a caller wants, as a request. */
export function roleTokenRequest(domain: string, options: RoleTokenOptions): RoleTokenRequest {
  const { role, proxyForPrincipal, minExpirySeconds, maxExpirySeconds } = options
  return { domain, role: roleList(listOf(role)) || undefined, proxyForPrincipal, minExpirySeconds, maxExpirySeconds }
}

/** Role tokens: given out again while `minExpirySeconds` are left, or the bounds of the caller hold. */
export const roleTokens = (zts: ZtsCalls, minExpirySeconds: number): TokenKind<RoleTokenRequest, RoleToken> => ({
  name: 'role token',
  key: ({ domain, role, proxyForPrincipal }, principal) =>
    cacheKey({ p: principal, d: domain, r: role, u: proxyForPrincipal }),
  fetch: ({ domain, role, proxyForPrincipal, ...bounds }, signal) =>
    zts.call(
      'getRoleToken',
      {
        domainName: domain,
        role,
        minExpiryTime: bounds.minExpirySeconds,
        maxExpiryTime: bounds.maxExpirySeconds,
        proxyForPrincipal,
      },
      { signal },
    ),
  expiresAtMillis: ({ expiryTime }) => expiryTime * 1000,
  isFresh: (kept, request, nowMillis) => isFreshWithin(kept, request, nowMillis, minExpirySeconds),
})
