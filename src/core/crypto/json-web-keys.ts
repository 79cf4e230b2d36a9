import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { findSoundKeyKind, type KeyKind } from './key-kind.ts'

/** A public key of a JSON web key set that signatures can be verified with. */
export interface PublicJsonWebKey {
  readonly keyId: string | undefined
  /** The only algorithm that the owner allows. */
  readonly algorithm: string | undefined
  /** The kind of key that an algorithm must belong to. */
  readonly kind: KeyKind['name']
  readonly key: KeyObject
}

/** Owners have a few keys; more would cost every verification. */
const KEYS_MAX = 100

/** Names of curves that are used beside those of RFC 7518. */
const CURVE_NAMES: ReadonlyMap<string, string> = new Map([
  ['prime256v1', 'P-256'],
  ['secp256r1', 'P-256'],
  ['secp384r1', 'P-384'],
  ['secp521r1', 'P-521'],
])

/** Bytes of a coordinate of a point, by the standard's name of its curve. */
const COORDINATE_BYTES: ReadonlyMap<string, number> = new Map([
  ['P-256', 32],
  ['P-384', 48],
  ['P-521', 66],
])

/**
 * The public keys of a JSON web key set (RFC 7517), `{"keys": [...]}`: RSA and EC; undefined when it is no set, or one of
 * more than a hundred keys. Others in it are passed over, as RFC 7517, 5 has it, and so are keys too weak to be trusted.
 */
export function readJsonWebKeySet(value: unknown): PublicJsonWebKey[] | undefined {
  const listed: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'keys') : undefined
  if (!Array.isArray(listed) || listed.length > KEYS_MAX) return undefined
  return listed.flatMap((entry: unknown) => readKey(entry) ?? [])
}

function readKey(entry: unknown): PublicJsonWebKey | undefined {
  const use = member(entry, 'use')
  if (use !== undefined && use !== 'sig') return undefined
  const key = publicKeyOf(entry)
  const kind = key && findSoundKeyKind(key, 'jose')
  if (key === undefined || kind === undefined || typeof kind === 'string') return undefined
  return { keyId: member(entry, 'kid'), algorithm: member(entry, 'alg'), kind: kind.name, key }
}

/** Only its public members are read: what else an entry has cannot make it a secret. */
function publicKeyOf(entry: unknown): KeyObject | undefined {
  const kty = member(entry, 'kty')
  const jwk = kty === 'RSA' ? rsaKey(entry) : kty === 'EC' ? ecKey(entry) : undefined
  if (jwk === undefined) return undefined
  try {
    return createPublicKey({ key: jwk, format: 'jwk' })
  } catch {
    return undefined
  }
}

const rsaKey = (entry: unknown): JsonWebKey => ({ kty: 'RSA', n: member(entry, 'n'), e: member(entry, 'e') })

/** Servers of Athenz write, unless they are asked not to, names of OpenSSL for curves, and coordinates with a sign byte. */
function ecKey(entry: unknown): JsonWebKey {
  const name = member(entry, 'crv') ?? ''
  const crv = CURVE_NAMES.get(name) ?? name
  const coordinate = (of: 'x' | 'y') => fullLength(member(entry, of), COORDINATE_BYTES.get(crv))
  return { kty: 'EC', crv, x: coordinate('x'), y: coordinate('y') }
}

/** RFC 7518, 6.2.1.2: a coordinate has the full length, zeros in front included. */
function fullLength(coordinate: string | undefined, length = 0): string | undefined {
  if (coordinate === undefined) return undefined
  const bytes = Buffer.from(coordinate, 'base64url')
  if (bytes.length === length) return coordinate
  const digits = bytes.subarray(bytes.findIndex((byte) => byte !== 0))
  if (digits.length > length) return coordinate
  return Buffer.concat([Buffer.alloc(length - digits.length), digits]).toString('base64url')
}

function member(value: unknown, name: string): string | undefined {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  const found = (value as Readonly<Record<string, unknown>>)[name]
  return typeof found === 'string' ? found : undefined
}
