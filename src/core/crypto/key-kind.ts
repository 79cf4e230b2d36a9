import { createPublicKey, type KeyObject } from 'node:crypto'
import { badRequest } from '../error/service-error.ts'
import { rsaModulusWeakness } from './rsa-modulus.ts'

/** Family of a key, as configuration and requests name it. */
export type KeyFamily = 'rsa' | 'ec' | 'ed25519'

/**
 * What a key is used for: `token` for principal and role tokens and signed documents (RSA and ECDSA only), `jose` for
 * JSON web signatures, `certificate` for X.509.
 */
export type KeyUse = 'token' | 'jose' | 'certificate'

/** Everything known about one kind of key; code elsewhere asks this row and never branches on a name. */
export interface KeyKind {
  readonly name: 'RSA' | 'P-256' | 'P-384' | 'P-521' | 'Ed25519'
  readonly family: KeyFamily
  /** OpenSSL's name of the curve, as it appears in the key's details. */
  readonly curve?: string
  readonly uses: readonly KeyUse[]
  /** The algorithm our own JSON web signatures with such a key name. */
  readonly joseAlgorithm: string
  /** Digest of token signatures and certificates; null where the scheme brings its own. */
  readonly digest: 'sha256' | null
  /** Length in bytes of a signature in the form r || s. */
  readonly rawSignatureBytes?: number
  /**
   * Where the work is done: on the event loop when it costs less than handing it over (under about 100 µs), otherwise on
   * the thread pool. Measured in µs, sign / verify: RSA-2048 300–900 / 23, P-256 25 / 68, P-384 600 / 500,
   * P-521 1400 / 1100, Ed25519 32 / 96.
   */
  readonly signsInline: boolean
  readonly verifiesInline: boolean
}

/** The kinds of keys that are accepted anywhere. */
export const KEY_KINDS: readonly KeyKind[] = [
  {
    name: 'RSA',
    family: 'rsa',
    uses: ['token', 'jose', 'certificate'],
    joseAlgorithm: 'RS256',
    digest: 'sha256',
    signsInline: false,
    verifiesInline: true,
  },
  {
    name: 'P-256',
    family: 'ec',
    curve: 'prime256v1',
    uses: ['token', 'jose', 'certificate'],
    joseAlgorithm: 'ES256',
    digest: 'sha256',
    rawSignatureBytes: 64,
    signsInline: true,
    verifiesInline: true,
  },
  {
    name: 'P-384',
    family: 'ec',
    curve: 'secp384r1',
    uses: ['token', 'jose', 'certificate'],
    joseAlgorithm: 'ES384',
    digest: 'sha256',
    rawSignatureBytes: 96,
    signsInline: false,
    verifiesInline: false,
  },
  {
    name: 'P-521',
    family: 'ec',
    curve: 'secp521r1',
    uses: ['token', 'jose', 'certificate'],
    joseAlgorithm: 'ES512',
    digest: 'sha256',
    rawSignatureBytes: 132,
    signsInline: false,
    verifiesInline: false,
  },
  {
    name: 'Ed25519',
    family: 'ed25519',
    uses: ['jose', 'certificate'],
    joseAlgorithm: 'EdDSA',
    digest: null,
    signsInline: true,
    verifiesInline: true,
  },
]

/** One JSON web signature algorithm: its digest and the kinds of keys it goes with (RFC 7518, RFC 8037). */
export interface JoseAlgorithm {
  readonly digest: 'sha256' | 'sha384' | 'sha512' | null
  readonly family: KeyFamily
  readonly kind: KeyKind['name']
}

/** The accepted signature algorithms with public keys; `none` and HMAC are deliberately not among them. */
export const JOSE_ALGORITHMS: ReadonlyMap<string, JoseAlgorithm> = new Map<string, JoseAlgorithm>([
  ['RS256', { digest: 'sha256', family: 'rsa', kind: 'RSA' }],
  ['RS384', { digest: 'sha384', family: 'rsa', kind: 'RSA' }],
  ['RS512', { digest: 'sha512', family: 'rsa', kind: 'RSA' }],
  ['ES256', { digest: 'sha256', family: 'ec', kind: 'P-256' }],
  ['ES384', { digest: 'sha384', family: 'ec', kind: 'P-384' }],
  ['ES512', { digest: 'sha512', family: 'ec', kind: 'P-521' }],
  ['EdDSA', { digest: null, family: 'ed25519', kind: 'Ed25519' }],
])

const RSA_MODULUS_BITS = { minimum: 2048, maximum: 8192 }
/** FIPS 186-4, B.3.1: the exponent is odd and above 2^16. The upper end keeps a hostile key from making verification slow. */
const RSA_EXPONENT = { minimum: 65537n, maximum: 2n ** 64n }

/**
 * The row of a public or private key, or the reason, as a string, why the key is not accepted for `use`.
 * Reasons complete the sentence "the key is refused: …".
 */
export function findKeyKind(key: KeyObject, use: KeyUse = 'token'): KeyKind | string {
  if (key.type === 'secret') return 'a secret is not a public or private key'
  const details = key.asymmetricKeyDetails ?? {}
  const kind = KEY_KINDS.find((row) => row.family === key.asymmetricKeyType && row.curve === details.namedCurve)
  if (kind === undefined) {
    if (key.asymmetricKeyType !== 'ec') return `keys of type ${key.asymmetricKeyType ?? 'unknown'} are not accepted`
    return details.namedCurve === undefined
      ? 'the curve is given by explicit parameters instead of its name'
      : `the curve ${details.namedCurve} is not accepted; use P-256, P-384 or P-521`
  }
  if (!kind.uses.includes(use)) return `${kind.name} keys are not accepted here; use RSA or EC`
  return kind.family === 'rsa' ? (refuseRsa(details) ?? kind) : kind
}

/** Kind of an accepted key as people call it, e.g. `RSA 2048` or `P-256`; undefined for a key that is not accepted. */
export function keyKindText(key: KeyObject): string | undefined {
  const kind = findKeyKind(key)
  if (typeof kind === 'string') return undefined
  return kind.family === 'rsa' ? `RSA ${key.asymmetricKeyDetails?.modulusLength ?? ''}`.trim() : kind.name
}

/** As findKeyKind, but throws `bad-request` with the reason. */
export function keyKind(key: KeyObject, use: KeyUse = 'token'): KeyKind {
  const kind = findKeyKind(key, use)
  if (typeof kind === 'string') throw badRequest(`the key is refused: ${kind}`)
  return kind
}

/**
 * As findKeyKind, and refuses RSA keys whose factors can be found ({@link rsaModulusWeakness}), too: for keys that come
 * from outside, once, before they are used. `modulus` saves a tenth of a millisecond where it is known.
 */
export function findSoundKeyKind(key: KeyObject, use: KeyUse = 'token', modulus?: bigint): KeyKind | string {
  const kind = findKeyKind(key, use)
  if (typeof kind === 'string' || kind.family !== 'rsa') return kind
  return rsaModulusWeakness(modulus ?? modulusOf(key)) ?? kind
}

/** As findSoundKeyKind, but throws `bad-request` with the reason. */
export function requireSoundKey(key: KeyObject, use: KeyUse = 'token'): void {
  const kind = findSoundKeyKind(key, use)
  if (typeof kind === 'string') throw badRequest(`the key is refused: ${kind}`)
}

function modulusOf(key: KeyObject): bigint {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key
  const { n = '' } = publicKey.export({ format: 'jwk' })
  return BigInt(`0x${Buffer.from(n, 'base64url').toString('hex')}`)
}

function refuseRsa(details: { modulusLength?: number; publicExponent?: bigint }): string | undefined {
  const { modulusLength: bits = 0, publicExponent: exponent = 0n } = details
  if (bits < RSA_MODULUS_BITS.minimum) return `an RSA modulus of ${bits} bits is too short; use 2048 or more`
  if (bits > RSA_MODULUS_BITS.maximum) return `an RSA modulus of ${bits} bits is too long; use at most 8192`
  if (exponent < RSA_EXPONENT.minimum || exponent > RSA_EXPONENT.maximum || exponent % 2n === 0n) {
    return 'the public exponent of the RSA key is not an odd number from 65537 to 2^64'
  }
  return undefined
}
