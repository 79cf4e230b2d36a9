import { badRequest } from '#core/error/service-error.ts'
import { formText } from '#core/http/request-target.ts'
import { requireName } from '#core/names/require-name.ts'
import { excerpt } from '#core/token/token-fields.ts'

/** A request for a token, as its form says it; only what is said below about a field has been checked. */
export interface TokenRequest {
  /** Lower case, one of {@link GRANT_TYPES}. */
  readonly grantType: GrantType
  /** Lower case. */
  readonly scope: string | undefined
  /** 0 when none is asked for, or something that is no number. */
  readonly expiresInSeconds: number
  /** Whom the token is for, when not for the caller; lower case. */
  readonly proxyForPrincipal: string | undefined
  /** Who may use the token beside the caller: SPIFFE URIs, lower case, each one valid. */
  readonly proxyPrincipalSpiffeUris: readonly string[] | undefined
  /** JSON text; may be empty. */
  readonly authorizationDetails: string | undefined
  readonly openIdIssuer: boolean
  readonly roleInAudience: boolean
  readonly fullArn: boolean
  /** Lower case, like the other types. */
  readonly clientAssertionType: string | undefined
  readonly clientAssertion: string | undefined
  readonly requestedTokenType: string | undefined
  readonly subjectTokenType: string | undefined
  readonly subjectToken: string | undefined
  readonly actorTokenType: string | undefined
  readonly actorToken: string | undefined
  readonly assertion: string | undefined
  readonly audience: string | undefined
  readonly resource: string | undefined
  /** Who may act for the subject; see {@link requestedActor}. */
  readonly actor: string | undefined
}

/** Who may act for the subject of the token; undefined when nobody is named. Throws `bad-request` for what is no name. */
export function requestedActor({ actor }: TokenRequest): string | undefined {
  if (actor === undefined) return undefined
  requireName('ServiceName', actor)
  return actor
}

/** What a token may be asked for with. */
export const GRANT_TYPES = {
  clientCredentials: 'client_credentials',
  tokenExchange: 'urn:ietf:params:oauth:grant-type:token-exchange',
  jwtBearer: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
} as const

/** One of {@link GRANT_TYPES}. */
export type GrantType = (typeof GRANT_TYPES)[keyof typeof GRANT_TYPES]

/** Names of kinds of tokens (RFC 8693, and the identity assertion grant). */
export const TOKEN_TYPES = {
  idToken: 'urn:ietf:params:oauth:token-type:id_token',
  accessToken: 'urn:ietf:params:oauth:token-type:access_token',
  jwt: 'urn:ietf:params:oauth:token-type:jwt',
  idJag: 'urn:ietf:params:oauth:token-type:id-jag',
} as const

/** The only type of client assertions. */
export const CLIENT_ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/**
 * Reads the form of a token request. Throws `bad-request` for an empty body, for a grant type that is missing or not
 * known, and for a SPIFFE URI that is none; what else a grant needs is for those who handle it.
 */
export function parseTokenRequest(body: string): TokenRequest {
  if (body === '') throw badRequest('Empty request body')
  const fields = parseForm(body)
  const text = (name: string) => fields.get(name)
  const lower = (name: string) => fields.get(name)?.toLowerCase()
  const flag = (name: string) => fields.get(name)?.toLowerCase() === 'true'
  return {
    grantType: grantTypeOf(lower('grant_type')),
    scope: lower('scope'),
    expiresInSeconds: parseLife(text('expires_in')),
    proxyForPrincipal: lower('proxy_for_principal') || undefined,
    proxyPrincipalSpiffeUris: parseSpiffeUris(lower('proxy_principal_spiffe_uris')),
    authorizationDetails: text('authorization_details'),
    openIdIssuer: flag('openid_issuer'),
    roleInAudience: flag('role_in_aud_claim'),
    fullArn: flag('full_arn'),
    clientAssertionType: lower('client_assertion_type'),
    clientAssertion: text('client_assertion'),
    requestedTokenType: lower('requested_token_type'),
    subjectTokenType: lower('subject_token_type'),
    subjectToken: text('subject_token'),
    actorTokenType: lower('actor_token_type'),
    actorToken: text('actor_token'),
    assertion: text('assertion'),
    audience: text('audience'),
    resource: text('resource'),
    actor: text('actor'),
  }
}

/**
 * The fields of a form (`application/x-www-form-urlencoded`): an item without `=`, or one that does not decode, is
 * passed over; of those with one name the last counts.
 */
export function parseForm(body: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  for (const item of body.split('&')) {
    const equals = item.indexOf('=')
    if (equals === -1) continue
    const [name, value] = [formText(item.slice(0, equals)), formText(item.slice(equals + 1))]
    if (name !== undefined && value !== undefined) fields.set(name, value)
  }
  return fields
}

const KNOWN_GRANT_TYPES: ReadonlySet<string> = new Set(Object.values(GRANT_TYPES))
const isGrantType = (text: string): text is GrantType => KNOWN_GRANT_TYPES.has(text)

function grantTypeOf(text: string | undefined): GrantType {
  if (!text) throw badRequest('Invalid request: no grant type provided')
  if (!isGrantType(text)) throw badRequest(`Invalid grant request: ${excerpt(text)}`)
  return text
}

const INT32_MAX = 2_147_483_647

/** As servers before this one: a 32-bit number, otherwise none. */
function parseLife(text: string | undefined): number {
  if (text === undefined || !/^[-+]?\d{1,10}$/.test(text)) return 0
  const seconds = Number(text)
  return Math.abs(seconds) <= INT32_MAX ? seconds : 0
}

function parseSpiffeUris(list: string | undefined): readonly string[] | undefined {
  if (!list) return undefined
  const uris = list.split(',').map((uri) => uri.trim())
  while (uris.at(-1) === '') uris.pop()
  const wrong = uris.find((uri) => !isSpiffeUri(uri))
  if (wrong !== undefined) throw badRequest(`Invalid spiffe uri specified: ${excerpt(wrong)}`)
  return uris.length > 0 ? uris : undefined
}

/** Trust domain and path segments as the SPIFFE standard has them (SPIFFE-ID, 2.1 and 2.2). */
const SPIFFE_URI = /^spiffe:\/\/[a-z0-9._-]+(?:\/[a-zA-Z0-9._-]+)*$/

const isSpiffeUri = (uri: string): boolean =>
  uri.length <= 2048 && SPIFFE_URI.test(uri) && !/\/\.{1,2}(?:\/|$)/.test(uri)
