import { randomBytes } from 'node:crypto'
import type { OIDCResponse } from '#zts/api/id-token.ts'
import { cacheKey } from './cache-key.ts'
import { AthenzClientError, invalidRequest } from './client-error.ts'
import { isFreshByQuarter } from './token-freshness.ts'
import type { TokenCall, TokenKind } from './token-keeper.ts'
import type { ZtsCalls } from './zts-calls.ts'

/** Which id token is wanted. */
export interface IdTokenOptions extends TokenCall {
  /** Domain of the roles that the token names. */
  readonly domain?: string
  /** Local names of roles of `domain`. */
  readonly roles?: readonly string[]
  /** In place of the scope of `domain` and `roles`; `openid` when neither is given. */
  readonly scope?: string
  /** In place of the one made of the client and `redirectUriSuffix`. */
  readonly redirectUri?: string
  /** The redirect URI is `https://SERVICE.DOMAIN-WITH-DASHES` of the client, and this after it, e.g. `.athenz.cloud`. */
  readonly redirectUriSuffix?: string
  readonly state?: string
  /** Key that ZTS signs with; `EC` unless given. */
  readonly keyType?: 'RSA' | 'EC'
  /** Full names in the `groups` claim. */
  readonly fullArn?: boolean
  /** Life of the token; the server's choice unless given. */
  readonly expirySeconds?: number
  /** The role in the audience, when there is exactly one. */
  readonly roleInAudience?: boolean
  /** Everything that the scope names must be held. */
  readonly allScopePresent?: boolean
}

/** A request for an id token. */
export interface IdTokenRequest
  extends Pick<IdTokenOptions, 'state' | 'fullArn' | 'expirySeconds' | 'roleInAudience' | 'allScopePresent'> {
  readonly clientId: string
  readonly scope: string
  readonly redirectUri: string | undefined
  readonly keyType: 'RSA' | 'EC'
}

const RESPONSE_TYPE = 'id_token'
const NONCE_BYTES = 16

/** What a caller wants, as a request. `clientId` is the service that the token is for, by its full name. */
export function idTokenRequest(clientId: string, options: IdTokenOptions): IdTokenRequest {
  const {
    domain,
    roles = [],
    redirectUriSuffix,
    state,
    fullArn,
    expirySeconds,
    roleInAudience,
    allScopePresent,
  } = options
  const { keyType = 'EC', redirectUri = redirectUriSuffix && redirectUriOf(clientId, redirectUriSuffix) } = options
  const names = domain === undefined ? [] : roles.map((role) => `${domain}:role.${role}`)
  const { scope = ['openid', ...names].join(' ') } = options
  return { clientId, scope, redirectUri, keyType, state, fullArn, expirySeconds, roleInAudience, allScopePresent }
}

function redirectUriOf(clientId: string, suffix: string): string {
  const dot = clientId.lastIndexOf('.')
  if (dot <= 0) throw invalidRequest(`${clientId} is not the full name of a service`)
  return `https://${clientId.slice(dot + 1)}.${clientId.slice(0, dot).replaceAll('.', '-')}${suffix}`
}

/** Id tokens: given out again while a quarter of their life is left. */
export const idTokens = (zts: ZtsCalls): TokenKind<IdTokenRequest, OIDCResponse> => ({
  name: 'id token',
  key: (request, principal) =>
    cacheKey({
      p: principal,
      t: RESPONSE_TYPE,
      c: request.clientId,
      s: request.scope,
      r: request.redirectUri,
      a: request.state,
      k: request.keyType,
      f: request.fullArn,
      i: request.roleInAudience,
      l: request.allScopePresent,
    }),
  fetch: async ({ expirySeconds, roleInAudience, ...request }, signal) => {
    const token = await zts.call(
      'getOIDCResponse',
      {
        ...request,
        responseType: RESPONSE_TYPE,
        nonce: randomBytes(NONCE_BYTES).toString('hex'),
        expiryTime: expirySeconds || undefined,
        roleInAudClaim: roleInAudience,
        output: 'json',
      },
      { signal },
    )
    if (token !== undefined) return token
    // An older server that knows no other output.
    throw new AthenzClientError('ZTS answers with a redirection in place of an id token', { kind: 'invalid-reply' })
  },
  expiresAtMillis: ({ expiration_time: expirationTime }) => expirationTime * 1000,
  isFresh: (kept, { expirySeconds }, nowMillis) => isFreshByQuarter(kept, expirySeconds, nowMillis),
})
