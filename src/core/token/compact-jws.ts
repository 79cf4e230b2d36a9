import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto'
import { verifyJoseSignature } from '../crypto/signing.ts'

/** Members of a JOSE header that readers act on. */
export interface JwsHeader {
  readonly alg: string
  /** Key id. */
  readonly kid?: string
  /** In lower case, without `application/`. */
  readonly typ?: string
}

/** A JSON web signature in compact form (RFC 7515, 7.1), taken apart; says nothing about its validity. */
export interface CompactJws {
  readonly header: JwsHeader
  readonly payload: Buffer
  /** What the signature covers. */
  readonly signingInput: string
  readonly signature: Buffer
}

/** A JSON object as it was read; members are to be read as own ones only. */
export type JsonObject = Readonly<Record<string, unknown>>

/** As long as a role token may be; beyond this no payload is plausible. */
export const COMPACT_JWS_MAX_LENGTH = 1_048_576

const BASE64URL = /^[A-Za-z0-9_-]*$/

/**
 * Reads a signature in compact form, or gives the reason as a text. Strict where readers differ: three parts in
 * base64url without padding and without surplus bits, the header a JSON object in UTF-8; header members that change how
 * the rest is to be read (`crit`, `b64`, `zip`, `enc`) are refused. `maxLength` is for texts that are no tokens.
 */
export function parseCompactJws(text: string, maxLength = COMPACT_JWS_MAX_LENGTH): CompactJws | string {
  if (text.length > maxLength) return `longer than ${maxLength} characters`
  const [head, body, tail, ...others] = text.split('.', 4)
  if (head === undefined || body === undefined || tail === undefined || others.length > 0) {
    return 'not three parts separated by periods'
  }
  const header = parseHeader(decode(head))
  if (typeof header === 'string') return header
  const payload = decode(body)
  if (payload === undefined) return 'the payload is not base64url'
  const signature = decode(tail)
  if (signature === undefined || signature.length === 0) return 'the signature is missing or not base64url'
  return { header, payload, signingInput: text.slice(0, head.length + 1 + body.length), signature }
}

const REFUSED_MEMBERS = ['crit', 'b64', 'zip', 'enc']
const TYPE_PREFIX = 'application/'

function parseHeader(bytes: Buffer | undefined): JwsHeader | string {
  const members = bytes && parseJsonObject(bytes)
  if (members === undefined) return 'the header is not a JSON object in base64url'
  const refused = REFUSED_MEMBERS.find((name) => Object.hasOwn(members, name))
  if (refused !== undefined) return `the header has ${refused}, which is not supported`
  const [alg, kid, typ] = [textMember(members, 'alg'), textMember(members, 'kid'), textMember(members, 'typ')]
  if (alg === undefined) return 'the header names no algorithm'
  if (Object.hasOwn(members, 'kid') && kid === undefined) return 'the key id is not a text'
  if (Object.hasOwn(members, 'typ') && typ === undefined) return 'the type is not a text'
  return { alg, ...(kid !== undefined && { kid }), ...(typ !== undefined && { typ: plainType(typ.toLowerCase()) }) }
}

/** RFC 7515, 4.1.9: the prefix may be left out. */
const plainType = (type: string): string => (type.startsWith(TYPE_PREFIX) ? type.slice(TYPE_PREFIX.length) : type)

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The JSON object that bytes in UTF-8 write; undefined for anything else. */
export function parseJsonObject(bytes: Uint8Array): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(utf8.decode(bytes))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined
  } catch {
    return undefined
  }
}

/** A member that is a text; undefined when it is absent or anything else. */
export function textMember(object: JsonObject, name: string): string | undefined {
  const value = Object.hasOwn(object, name) ? object[name] : undefined
  return typeof value === 'string' ? value : undefined
}

/** Several texts would stand for the same bytes if surplus bits were let through. */
function decode(part: string): Buffer | undefined {
  if (!BASE64URL.test(part)) return undefined
  const bytes = Buffer.from(part, 'base64url')
  return bytes.toString('base64url') === part ? bytes : undefined
}

/** HMAC algorithms: digest, and the least bytes of a secret (RFC 7518, 3.2: as long as the digest). */
const HMAC_ALGORITHMS: ReadonlyMap<string, { digest: string; minBytes: number }> = new Map([
  ['HS256', { digest: 'sha256', minBytes: 32 }],
  ['HS384', { digest: 'sha384', minBytes: 48 }],
  ['HS512', { digest: 'sha512', minBytes: 64 }],
])

/**
 * Whether a signature was made with a key: HMAC with a secret key, all else with a public key. False when the algorithm
 * does not belong to the kind of key: a public key never is a secret, since whoever knows it could sign.
 */
export function verifyCompactJws(
  { header, signingInput, signature }: CompactJws,
  key: KeyObject,
): Promise<boolean> | boolean {
  if (key.type !== 'secret') return verifyJoseSignature(header.alg, key, signingInput, signature)
  const hmac = HMAC_ALGORITHMS.get(header.alg)
  if (hmac === undefined || (key.symmetricKeySize ?? 0) < hmac.minBytes) return false
  const expected = createHmac(hmac.digest, key).update(signingInput).digest()
  return expected.length === signature.length && timingSafeEqual(expected, signature)
}
