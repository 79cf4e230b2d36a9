import { createHash } from 'node:crypto'
import type { AccessTokenResponse } from '#zts/api/access-token.ts'
import { cacheKey, listOf, roleList } from './cache-key.ts'
import type { DiskAccessTokens } from './disk-access-tokens.ts'
import { isFreshByQuarter } from './token-freshness.ts'
import type { TokenCall, TokenKind } from './token-keeper.ts'
import type { ZtsCalls } from './zts-calls.ts'

/** Which access token is wanted. */
export interface AccessTokenOptions extends TokenCall {
  /** Local names of roles that the token names; all that are held in the domain unless given. */
  readonly roles?: string | readonly string[]
  /** Asks for an id token, too, for this service of the domain. */
  readonly idTokenService?: string
  /** Life of the token; the server's choice unless given. */
  readonly expirySeconds?: number
  /** On behalf of whom: a principal for whom the caller may act. */
  readonly proxyForPrincipal?: string
  /** JSON text (RFC 9396). */
  readonly authorizationDetails?: string
  /** Proxies that may present the token, by the `spiffe://` URIs of their certificates. */
  readonly proxyPrincipalSpiffeUris?: readonly string[]
  /** The issuer of OpenID Connect in place of that of OAuth. */
  readonly openIdIssuer?: boolean
  /** The role in the audience, when there is exactly one. */
  readonly roleInAudience?: boolean
}

/** A request for an access token. */
export interface AccessTokenRequest {
  readonly domain: string
  readonly roles: readonly string[]
  readonly options: Omit<AccessTokenOptions, keyof TokenCall | 'roles'>
}

/** What a caller wants, as a request. */
export function accessTokenRequest(domain: string, wanted: AccessTokenOptions): AccessTokenRequest {
  const { roles, ignoreCache: _ignore, prefetch: _prefetch, signal: _signal, ...options } = wanted
  return { domain, roles: [...new Set(listOf(roles))].sort(), options }
}

/** The scope of an access token: a domain, or some of its roles, and a service that an id token is for. */
export function accessTokenScope(domain: string, roles: readonly string[] = [], idTokenService?: string): string {
  const names = roles.length === 0 ? [`${domain}:domain`] : roles.map((role) => `${domain}:role.${role}`)
  return [...names, ...(idTokenService === undefined ? [] : ['openid', `${domain}:service.${idTokenService}`])].join(
    ' ',
  )
}

/** Fields of a token request as the body of a form, in alphabetical order; absent and empty ones are left out. */
export function tokenForm(fields: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const given = Object.entries(fields).flatMap(([name, value]): [string, string][] =>
    value === undefined || value === '' || value === false ? [] : [[name, String(value)]],
  )
  return new URLSearchParams(given.sort(([a], [b]) => (a < b ? -1 : 1))).toString()
}

/** Access tokens by client credentials: given out again while a quarter of their life is left. */
export const accessTokens = (
  zts: ZtsCalls,
  disk: DiskAccessTokens | undefined,
): TokenKind<AccessTokenRequest, AccessTokenResponse> => ({
  name: 'access token',
  key: ({ domain, roles, options }, principal) =>
    cacheKey({
      p: principal,
      d: domain,
      r: roleList(roles),
      o: options.idTokenService,
      u: options.proxyForPrincipal,
      z: options.authorizationDetails && hashOf(options.authorizationDetails),
      s: options.proxyPrincipalSpiffeUris?.join(','),
      i: options.openIdIssuer,
      a: options.roleInAudience,
    }),
  fetch: (request, signal) => zts.call('postAccessTokenRequest', { body: formOf(request) }, { signal }),
  expiresAtMillis: ({ expires_in: expiresInSeconds = 0 }, askedAtMillis) => askedAtMillis + expiresInSeconds * 1000,
  isFresh: (kept, { options }, nowMillis) => isFreshByQuarter(kept, options.expirySeconds, nowMillis),
  async local({ domain, roles, options }) {
    const { expirySeconds: _any, ...others } = options
    // Tokens on disk are plain ones for roles.
    const isPlain = roles.length > 0 && Object.values(others).every((value) => value === undefined || value === false)
    return isPlain ? disk?.find(domain, roles) : undefined
  },
})

const formOf = ({ domain, roles, options }: AccessTokenRequest): string =>
  tokenForm({
    grant_type: 'client_credentials',
    scope: accessTokenScope(domain, roles, options.idTokenService),
    expires_in: options.expirySeconds || undefined,
    proxy_for_principal: options.proxyForPrincipal,
    authorization_details: options.authorizationDetails,
    proxy_principal_spiffe_uris: options.proxyPrincipalSpiffeUris?.join(','),
    openid_issuer: options.openIdIssuer,
    role_in_aud_claim: options.roleInAudience,
  })

const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64url')
