import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto'
import { type Signer, verifyJoseSignature } from '../crypto/signing.ts'
import { excerpt } from './token-fields.ts'

/** Members of a JOSE header; of the others, only those that nobody has to understand are let through. */
export interface JwtHeader {
  readonly alg: string
  /** Key id. */
  readonly kid?: string
  /** In lower case, without `application/`. */
  readonly typ?: string
}

/** Claims as the token has them: none of them is checked. */
export type JwtClaims = Readonly<Record<string, unknown>>

/** A JSON web token in compact form (RFC 7519), taken apart; says nothing about its validity. */
export interface JsonWebToken {
  readonly header: JwtHeader
  readonly claims: JwtClaims
  /** What the signature covers. */
  readonly signingInput: string
  readonly signature: Buffer
}

/** What is wrong with a token; callers may switch on it. */
export type JwtFailureCode =
  | 'oversized'
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

/** As long as a role token may be; beyond this no list of roles is plausible. */
const TOKEN_MAX_LENGTH = 1_048_576

const BASE64URL = /^[A-Za-z0-9_-]*$/

/**
 * Reads a signed token in compact form. Strict where readers differ: three parts in base64url without padding and
 * without surplus bits, the first two JSON objects in UTF-8; header members that change how the rest is to be read
 * (`crit`, `b64`, `zip`, `enc`) are refused.
 */
export function parseJwt(text: string): JwtOutcome {
  if (text.length > TOKEN_MAX_LENGTH) return failed('oversized', `longer than ${TOKEN_MAX_LENGTH} characters`)
  const [head, payload, tail, ...others] = text.split('.', 4)
  if (head === undefined || payload === undefined || tail === undefined || others.length > 0) {
    return failed('malformed', 'not three parts separated by periods')
  }
  const header = parseHeader(parseObject(head))
  if (typeof header === 'string') return failed('malformed', header)
  const claims = parseObject(payload)
  if (claims === undefined) return failed('malformed', 'the claims are not a JSON object in base64url')
  const signature = decode(tail)
  if (signature === undefined || signature.length === 0) {
    return failed('malformed', 'the signature is missing or not base64url')
  }
  const signingInput = text.slice(0, head.length + 1 + payload.length)
  return { ok: true, token: { header, claims, signingInput, signature } }
}

const REFUSED_MEMBERS = ['crit', 'b64', 'zip', 'enc']
const TYPE_PREFIX = 'application/'

function parseHeader(members: JwtClaims | undefined): JwtHeader | string {
  if (members === undefined) return 'the header is not a JSON object in base64url'
  const refused = REFUSED_MEMBERS.find((name) => Object.hasOwn(members, name))
  if (refused !== undefined) return `the header has ${refused}, which is not supported`
  const [alg, kid, typ] = [textClaim(members, 'alg'), textClaim(members, 'kid'), textClaim(members, 'typ')]
  if (alg === undefined) return 'the header names no algorithm'
  if (Object.hasOwn(members, 'kid') && kid === undefined) return 'the key id is not a text'
  if (Object.hasOwn(members, 'typ') && typ === undefined) return 'the type is not a text'
  return { alg, ...(kid !== undefined && { kid }), ...(typ !== undefined && { typ: plainType(typ.toLowerCase()) }) }
}

/** RFC 7515, 4.1.9: the prefix may be left out. */
const plainType = (type: string): string => (type.startsWith(TYPE_PREFIX) ? type.slice(TYPE_PREFIX.length) : type)

function parseObject(part: string): JwtClaims | undefined {
  const bytes = decode(part)
  if (bytes === undefined) return undefined
  try {
    const value: unknown = JSON.parse(utf8.decode(bytes))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JwtClaims) : undefined
  } catch {
    return undefined
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Several texts would stand for the same bytes if surplus bits were let through. */
function decode(part: string): Buffer | undefined {
  if (!BASE64URL.test(part)) return undefined
  const bytes = Buffer.from(part, 'base64url')
  return bytes.toString('base64url') === part ? bytes : undefined
}

/** A claim that is a text; undefined when it is absent or anything else. */
export function textClaim(claims: JwtClaims, name: string): string | undefined {
  const value = Object.hasOwn(claims, name) ? claims[name] : undefined
  return typeof value === 'string' ? value : undefined
}

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
 * must be there, `nbf` may), signature. Issuer, audience and subject are for the caller.
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
  if (!(await isSignedWith(key, token))) return failed('bad-signature', 'the signature does not match')
  return { ok: true, token }
}

function checkTimes(claims: JwtClaims, { nowSeconds, allowedSkewSeconds }: JwtRules): JwtFailure | undefined {
  const skew = allowedSkewSeconds ?? JWT_ALLOWED_SKEW_SECONDS
  const expires = timeClaim(claims, 'exp')
  if (expires === undefined) return { code: 'no-expiry', reason: 'no time of expiry' }
  if (expires + skew <= nowSeconds) {
    return { code: 'expired', reason: `expired at ${expires}, ${Math.floor(nowSeconds - expires)} seconds ago` }
  }
  if (!Object.hasOwn(claims, 'nbf')) return undefined
  const begins = timeClaim(claims, 'nbf')
  if (begins === undefined) return { code: 'malformed', reason: 'the time of beginning is no time' }
  if (begins <= nowSeconds + skew) return undefined
  return { code: 'not-yet-valid', reason: `valid from ${begins}, ${Math.ceil(begins - nowSeconds)} seconds from now` }
}

/** HMAC algorithms: digest, and the least bytes of a secret (RFC 7518, 3.2: as long as the digest). */
const HMAC_ALGORITHMS: ReadonlyMap<string, { digest: string; minBytes: number }> = new Map([
  ['HS256', { digest: 'sha256', minBytes: 32 }],
  ['HS384', { digest: 'sha384', minBytes: 48 }],
  ['HS512', { digest: 'sha512', minBytes: 64 }],
])

/** A public key never is a secret: with it, whoever knows it could sign. */
function isSignedWith(key: KeyObject, { header, signingInput, signature }: JsonWebToken): Promise<boolean> | boolean {
  if (key.type !== 'secret') return verifyJoseSignature(header.alg, key, signingInput, signature)
  const hmac = HMAC_ALGORITHMS.get(header.alg)
  if (hmac === undefined || (key.symmetricKeySize ?? 0) < hmac.minBytes) return false
  const expected = createHmac(hmac.digest, key).update(signingInput).digest()
  return expected.length === signature.length && timingSafeEqual(expected, signature)
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
