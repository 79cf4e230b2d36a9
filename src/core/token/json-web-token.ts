import type { KeyObject } from 'node:crypto'
import type { Signer } from '../crypto/signing.ts'
import {
  type CompactJws,
  type JsonObject,
  type JwsHeader,
  parseCompactJws,
  parseJsonObject,
  textMember,
  verifyCompactJws,
} from './compact-jws.ts'
import { excerpt } from './token-fields.ts'

/** Members of the header of a token. */
export type JwtHeader = JwsHeader

/** Claims as the token has them: none of them is checked. */
export type JwtClaims = JsonObject

/** A JSON web token in compact form (RFC 7519), taken apart; says nothing about its validity. */
export interface JsonWebToken extends CompactJws {
  readonly claims: JwtClaims
}

/** What is wrong with a token; callers may switch on it. */
export type JwtFailureCode =
  | 'malformed'
  | 'bad-algorithm'
  | 'bad-type'
  | 'unknown-key'
  | 'bad-signature'
  | 'no-expiry'
  | 'expired'
  | 'not-yet-valid'

/** Why a token is not accepted; `reason` is for people and logs and has no secret. */
export interface JwtFailure {
  readonly code: JwtFailureCode
  readonly reason: string
}

/** A token, or why there is none. */
export type JwtOutcome =
  | { readonly ok: true; readonly token: JsonWebToken }
  | { readonly ok: false; readonly failure: JwtFailure }

const failed = (code: JwtFailureCode, reason: string) => ({ ok: false, failure: { code, reason } }) as const

/** Reads a signed token in compact form: a signature in compact form whose payload is a JSON object in UTF-8. */
export function parseJwt(text: string): JwtOutcome {
  const jws = parseCompactJws(text)
  if (typeof jws === 'string') return failed('malformed', jws)
  const claims = parseJsonObject(jws.payload)
  return claims === undefined
    ? failed('malformed', 'the claims are not a JSON object')
    : { ok: true, token: { ...jws, claims } }
}

/** A claim that is a text; undefined when it is absent or anything else. */
export const textClaim: (claims: JwtClaims, name: string) => string | undefined = textMember

/** A claim that is a time in epoch seconds; undefined when it is absent or no such number. */
export function timeClaim(claims: JwtClaims, name: string): number | undefined {
  const value = Object.hasOwn(claims, name) ? claims[name] : undefined
  return typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER ? value : undefined
}

/** The audiences of a token: one text or a list of texts; empty when there are none or something else is there. */
export function audiencesOf(claims: JwtClaims): readonly string[] {
  const value: unknown = Object.hasOwn(claims, 'aud') ? claims['aud'] : undefined
  if (typeof value === 'string') return [value]
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : []
}

/** Algorithms with public keys that tokens of others may have. */
export const JWT_ALGORITHMS: ReadonlySet<string> = new Set(['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512'])

/** Clocks may differ by so much unless a caller says otherwise; what libraries for such tokens allow. */
export const JWT_ALLOWED_SKEW_SECONDS = 60

/** What a token is verified against. */
export interface JwtRules {
  /**
   * The key that the token must be signed with; undefined when none is known. A secret key is for HMAC and nothing else.
   * What it is given has not been verified.
   */
  readonly keyOf: (header: JwtHeader, claims: JwtClaims) => Promise<KeyObject | undefined> | KeyObject | undefined
  /** {@link JWT_ALGORITHMS} unless given; HS256, HS384 and HS512 need to be allowed and a secret key. */
  readonly algorithms?: ReadonlySet<string>
  /** Accepted types (`typ`, lower case); `undefined` stands for none given. Any when absent. */
  readonly types?: readonly (string | undefined)[]
  /** Epoch seconds. */
  readonly nowSeconds: number
  /** {@link JWT_ALLOWED_SKEW_SECONDS} unless given. */
  readonly allowedSkewSeconds?: number
}

/**
 * Reads a token and carries out every check that does not depend on its purpose: form, algorithm, type, times (`exp`
 * must be there, `nbf` and `iat` may), signature. Issuer, audience and subject are for the caller.
 */
export async function verifyJwt(text: string, rules: JwtRules): Promise<JwtOutcome> {
  const parsed = parseJwt(text)
  return parsed.ok ? verifyParsedJwt(parsed.token, rules) : parsed
}

/** As {@link verifyJwt}, for a token that was read before. */
export async function verifyParsedJwt(token: JsonWebToken, rules: JwtRules): Promise<JwtOutcome> {
  const { header, claims } = token
  const { algorithms = JWT_ALGORITHMS, types } = rules
  if (!algorithms.has(header.alg)) return failed('bad-algorithm', `algorithm ${excerpt(header.alg)} is not accepted`)
  if (types && !types.includes(header.typ)) {
    return failed('bad-type', `type ${header.typ === undefined ? 'not given' : excerpt(header.typ)}`)
  }
  const failure = checkTimes(claims, rules)
  if (failure) return { ok: false, failure }
  const key = await rules.keyOf(header, claims)
  if (key === undefined) return failed('unknown-key', `key ${excerpt(header.kid ?? '')} is not known`)
  if (!(await verifyCompactJws(token, key))) return failed('bad-signature', 'the signature does not match')
  return { ok: true, token }
}

function checkTimes(claims: JwtClaims, { nowSeconds, allowedSkewSeconds }: JwtRules): JwtFailure | undefined {
  const skew = allowedSkewSeconds ?? JWT_ALLOWED_SKEW_SECONDS
  const expires = timeClaim(claims, 'exp')
  if (expires === undefined) return { code: 'no-expiry', reason: 'no time of expiry' }
  if (expires + skew <= nowSeconds) {
    return { code: 'expired', reason: `expired at ${expires}, ${Math.floor(nowSeconds - expires)} seconds ago` }
  }
  if (Object.hasOwn(claims, 'iat') && timeClaim(claims, 'iat') === undefined) {
    return { code: 'malformed', reason: 'the time of issue is no time' }
  }
  if (!Object.hasOwn(claims, 'nbf')) return undefined
  const begins = timeClaim(claims, 'nbf')
  if (begins === undefined) return { code: 'malformed', reason: 'the time of beginning is no time' }
  if (begins <= nowSeconds + skew) return undefined
  return { code: 'not-yet-valid', reason: `valid from ${begins}, ${Math.ceil(begins - nowSeconds)} seconds from now` }
}

/**
 * Signs tokens of one type (`typ`; none when absent), header members in the order `kid`, `typ`, `alg`. The header is
 * encoded when the signer changes and kept.
 */
export class JwtWriter {
  readonly #typ: string | undefined
  #signer: Signer | undefined
  #header = ''

  constructor(typ?: string) {
    this.#typ = typ
  }

  /** The token in compact form; a promise for keys whose work is done on the thread pool. */
  write(signer: Signer, claims: object): Promise<string> | string {
    if (signer !== this.#signer) {
      const { keyId: kid, joseAlgorithm: alg } = signer
      this.#header = `${base64url(JSON.stringify({ kid, typ: this.#typ, alg }))}.`
      this.#signer = signer
    }
    const input = this.#header + base64url(JSON.stringify(claims))
    const signature = signer.signJose(input)
    return signature instanceof Promise ? signature.then((bytes) => joined(input, bytes)) : joined(input, signature)
  }
}

const base64url = (text: string): string => Buffer.from(text).toString('base64url')
const joined = (input: string, signature: Buffer): string => `${input}.${signature.toString('base64url')}`

/** Signs one token; who signs many of them keeps a {@link JwtWriter}. */
export const signJwt = (signer: Signer, claims: object, header: { typ?: string } = {}): Promise<string> | string =>
  new JwtWriter(header.typ).write(signer, claims)
