import type { KeyObject } from 'node:crypto'
import { findKeyKind } from '../crypto/key-kind.ts'
import { verifySignature } from '../crypto/signing.ts'
import { parseYBase64 } from '../crypto/ybase64.ts'
import { excerpt, type TokenFailure } from './token-fields.ts'

/** The present and the tolerances against which the times of a token are held. */
export interface TokenTimeLimits {
  /** Epoch seconds. */
  readonly nowSeconds: number
  /** How far clocks may differ: 300 by default in the servers' configuration. */
  readonly allowedOffsetSeconds: number
  /** Longest remaining life: 2592000 (30 days) by default in the servers' configuration. */
  readonly maxExpirySeconds: number
  /** Accept `e=0` as "never expires"; false unless given. */
  readonly allowNoExpiry?: boolean
}

/** A registered public key: whose, and its id. */
export interface KeyReference {
  readonly domain: string
  readonly service: string
  readonly keyId: string
}

/** Finds a registered public key; undefined when there is none. */
export type PublicKeyLookup = (domain: string, service: string, keyId: string) => Promise<KeyObject | undefined>

/**
 * Holds the times of a token (epoch seconds) against the limits; undefined when they are good. A token still is at its
 * very second of expiry.
 */
export function checkTokenTimes(
  token: { readonly issueTimeSeconds: number; readonly expiryTimeSeconds: number },
  limits: TokenTimeLimits,
): TokenFailure | undefined {
  const { issueTimeSeconds: issued, expiryTimeSeconds: expires } = token
  const { nowSeconds: now, allowedOffsetSeconds: offset } = limits
  if (issued > now + offset) {
    return { code: 'issued-in-future', reason: `issued at ${issued}, ${issued - now} seconds from now` }
  }
  if (expires === 0 && limits.allowNoExpiry === true) return undefined
  if (expires < now) return { code: 'expired', reason: `expired at ${expires}, ${now - expires} seconds ago` }
  if (expires > now + limits.maxExpirySeconds + offset) {
    return { code: 'expires-too-late', reason: `expires at ${expires}, ${expires - now} seconds from now` }
  }
  return undefined
}

/** Checks a ybase64 signature over text; undefined when it is the key's. `undefined` as key means that none is known. */
export async function checkTokenSignature(
  signedText: string,
  signature: string,
  publicKey: KeyObject | undefined,
): Promise<TokenFailure | undefined> {
  if (publicKey === undefined) return { code: 'unknown-key', reason: 'no such public key' }
  const kind = findKeyKind(publicKey, 'token')
  if (typeof kind === 'string') return { code: 'unknown-key', reason: `the public key is refused: ${kind}` }
  const bytes = parseYBase64(signature)
  if (typeof bytes === 'string') return { code: 'bad-signature', reason: `the signature is ${bytes}` }
  if (await verifySignature(publicKey, signedText, bytes)) return undefined
  return { code: 'bad-signature', reason: 'the signature does not match' }
}

/** As checkTokenSignature, with the key looked up and named in the reason. */
export async function checkSignatureBy(
  key: KeyReference,
  lookup: PublicKeyLookup,
  signed: { readonly signedText: string; readonly signature: string },
): Promise<TokenFailure | undefined> {
  // A service's name is simple; with a period in it, two pairs of domain and name would have one full name.
  const publicKey = key.service.includes('.') ? undefined : await lookup(key.domain, key.service, key.keyId)
  const failure = await checkTokenSignature(signed.signedText, signed.signature, publicKey)
  if (failure === undefined) return undefined
  return {
    ...failure,
    reason: `${failure.reason} (key ${excerpt(key.keyId)} of ${excerpt(`${key.domain}.${key.service}`)})`,
  }
}
