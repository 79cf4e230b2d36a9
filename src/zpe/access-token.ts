import type { KeyObject } from 'node:crypto'
import { type JwtClaims, type JwtFailure, textClaim, timeClaim, verifyJwt } from '#core/token/json-web-token.ts'
import type { AccessToken, Confirmation } from './credential.ts'

/** Access tokens as ZTS types them; others of its tokens are for other purposes. */
const TYPES = ['at+jwt', 'jwt', undefined]

/** An access token, or why there is none. */
export type AccessTokenOutcome =
  | { readonly ok: true; readonly token: AccessToken }
  | { readonly ok: false; readonly reason: string; readonly code: JwtFailure['code'] | 'bad-claim' }

/**
 * Reads an access token and verifies its signature by the key of ZTS that it names, and its times with the usual minute of
 * skew. A token without exactly one audience, or whose roles are no list of names, says nothing about roles.
 */
export async function readAccessToken(
  text: string,
  nowSeconds: number,
  keyOf: (keyId: string) => Promise<KeyObject | undefined> | KeyObject | undefined,
): Promise<AccessTokenOutcome> {
  const outcome = await verifyJwt(text, {
    types: TYPES,
    nowSeconds,
    keyOf: ({ kid }) => (kid === undefined ? undefined : keyOf(kid)),
  })
  if (!outcome.ok) return { ok: false, ...outcome.failure }
  const { header, claims } = outcome.token
  const domain = textClaim(claims, 'aud') ?? onlyText(claims, 'aud')
  const roles = texts(claims, 'scp')
  const confirmation = confirmationOf(claims)
  if (domain === undefined || domain === '') return badClaim('it has not exactly one audience')
  if (roles === undefined || roles.length === 0 || roles.includes('')) return badClaim('it has no roles')
  if (confirmation === 'malformed') return badClaim('it is bound in a way that is not understood')
  return {
    ok: true,
    token: {
      domain,
      roles,
      principal: textClaim(claims, 'sub'),
      clientId: textClaim(claims, 'client_id'),
      keyId: header.kid,
      issueTimeSeconds: timeClaim(claims, 'iat'),
      expiryTimeSeconds: timeClaim(claims, 'exp') ?? 0,
      confirmation,
      claims,
    },
  }
}

const badClaim = (reason: string) => ({ ok: false, reason, code: 'bad-claim' }) as const

function onlyText(claims: JwtClaims, name: string): string | undefined {
  const list = texts(claims, name)
  return list?.length === 1 ? list[0] : undefined
}

function texts(claims: JwtClaims, name: string): readonly string[] | undefined {
  const value: unknown = Object.hasOwn(claims, name) ? claims[name] : undefined
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined
}

function confirmationOf(claims: JwtClaims): Confirmation | 'malformed' | undefined {
  const value: unknown = Object.hasOwn(claims, 'cnf') ? claims['cnf'] : undefined
  if (value === undefined) return undefined
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'malformed'
  const cnf = value as JwtClaims
  const certificateThumbprint = textClaim(cnf, 'x5t#S256')
  if (certificateThumbprint === undefined || certificateThumbprint === '') return 'malformed'
  const proxies = Object.hasOwn(cnf, 'proxy-principals#spiffe') ? texts(cnf, 'proxy-principals#spiffe') : []
  if (proxies === undefined) return 'malformed'
  return { certificateThumbprint, proxySpiffeUris: proxies.map((uri) => uri.toLowerCase()) }
}
