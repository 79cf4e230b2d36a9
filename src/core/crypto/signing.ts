import { type KeyObject, sign, verify } from 'node:crypto'
import { derToP1363, p1363ToDer } from './ecdsa-encoding.ts'
import { findKeyKind, JOSE_ALGORITHMS, type JoseAlgorithm, type KeyKind, type KeyUse, keyKind } from './key-kind.ts'
import { publicKeyOf, publicKeyPem } from './keys.ts'

/** How an ECDSA signature is written: `der` as ASN.1 sequence, `p1363` as r || s. No meaning for other keys. */
export type EcdsaEncoding = 'der' | 'p1363'

/** A private key with its published id, ready to sign. */
export interface Signer {
  readonly keyId: string
  readonly kind: KeyKind
  /** `alg` of JSON web signatures made with signJose. */
  readonly joseAlgorithm: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  readonly publicKeyPem: string
  /**
   * Signs tokens and documents: SHA-256 with RSA (PKCS #1 v1.5) or ECDSA in DER. RSA and the larger curves work on the
   * thread pool and give a promise; the others answer at once.
   */
  sign(data: string | Uint8Array): Promise<Buffer> | Buffer
  /** Signs the input of a JSON web signature, with the digest of `joseAlgorithm`; `p1363` is the standard encoding. */
  signJose(data: string | Uint8Array, encoding?: EcdsaEncoding): Promise<Buffer> | Buffer
}

/** Makes a signer of a private key. Throws `bad-request` when the kind of key is not accepted for `use`. */
export function createSigner(privateKey: KeyObject, keyId: string, use: KeyUse = 'token'): Signer {
  const kind = keyKind(privateKey, use)
  const publicKey = publicKeyOf(privateKey)
  const { digest: joseDigest } = JOSE_ALGORITHMS.get(kind.joseAlgorithm) as JoseAlgorithm
  return {
    keyId,
    kind,
    joseAlgorithm: kind.joseAlgorithm,
    privateKey,
    publicKey,
    publicKeyPem: publicKeyPem(publicKey),
    sign: (data) => signWith(privateKey, kind, kind.digest, bytesOf(data), 'der'),
    signJose: (data, encoding = 'p1363') => signWith(privateKey, kind, joseDigest, bytesOf(data), encoding),
  }
}

/**
 * Whether `signature` over `data` is the key's, in the form Signer.sign writes. A key of a kind that is not accepted
 * verifies nothing. Costly kinds work on the thread pool and give a promise, and so do all where it is asked for.
 */
export function verifySignature(
  publicKey: KeyObject,
  data: string | Uint8Array,
  signature: Uint8Array,
  place: VerificationPlace = 'where-it-is-fastest',
): Promise<boolean> | boolean {
  const kind = findKeyKind(publicKey, 'token')
  if (typeof kind === 'string') return false
  return verifyWith(publicKey, kind, kind.digest, bytesOf(data), signature, 'der', place)
}

/** Where a signature is verified. For long texts, and for many at once, the thread pool leaves the event loop free. */
export type VerificationPlace = 'where-it-is-fastest' | 'thread-pool'

/**
 * Whether `signature` is the key's for the JSON web signature algorithm `algorithm`; false for an algorithm that is not
 * accepted or does not belong to the kind of key, so that neither `none` nor a public key as HMAC secret can pass.
 *
 * In the `der` encoding, used for signed domains and policies, the algorithm need only belong to the key's family:
 * existing servers name ES256 there whatever the curve is.
 */
export function verifyJoseSignature(
  algorithm: string,
  publicKey: KeyObject,
  data: string | Uint8Array,
  signature: Uint8Array,
  encoding: EcdsaEncoding = 'p1363',
  place: VerificationPlace = 'where-it-is-fastest',
): Promise<boolean> | boolean {
  const kind = findKeyKind(publicKey, 'jose')
  const row = JOSE_ALGORITHMS.get(algorithm)
  if (typeof kind === 'string' || row === undefined) return false
  if (encoding === 'der' ? row.family !== kind.family : row.kind !== kind.name) return false
  return verifyWith(publicKey, kind, row.digest, bytesOf(data), signature, encoding, place)
}

/** Without options, which would cost Node as much as half of a signature with P-256. */
function signWith(
  key: KeyObject,
  { signsInline, rawSignatureBytes }: KeyKind,
  digest: string | null,
  data: Uint8Array,
  encoding: EcdsaEncoding,
): Promise<Buffer> | Buffer {
  const finished = (der: Buffer): Buffer =>
    encoding === 'p1363' && rawSignatureBytes !== undefined ? derToP1363(der, rawSignatureBytes / 2) : der
  if (signsInline) return finished(sign(digest, data, key))
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  sign(digest, data, key, (error, signature) => (error ? reject(error) : resolve(signature)))
  return promise.then(finished)
}

function verifyWith(
  key: KeyObject,
  { verifiesInline, rawSignatureBytes }: KeyKind,
  digest: string | null,
  data: Uint8Array,
  signature: Uint8Array,
  encoding: EcdsaEncoding,
  place: VerificationPlace,
): Promise<boolean> | boolean {
  const isRaw = encoding === 'p1363' && rawSignatureBytes !== undefined
  if (isRaw && signature.length !== rawSignatureBytes) return false
  const given = isRaw ? p1363ToDer(signature) : signature
  if (verifiesInline && place !== 'thread-pool') return verify(digest, data, key, given)
  return new Promise((resolve, reject) => {
    verify(digest, data, key, given, (error, valid) => (error ? reject(error) : resolve(valid)))
  })
}

function bytesOf(data: string | Uint8Array): Uint8Array {
  return typeof data === 'string' ? Buffer.from(data) : data
}
