import { createHash, createHmac } from 'node:crypto'

/** Hash that the first line of a chain follows. */
export const CHAIN_START_HASH = '0'.repeat(64)

const SECRET_MIN_LENGTH = 32
const KEY_ID_LENGTH = 16

/** Computes the hash of a line from the hash of the line before it and its own bytes: 64 hexadecimal digits. */
export interface ChainSeal {
  readonly kind: 'sha256' | 'hmac-sha256'
  /** Tells keys apart without giving them away; absent without a key. */
  readonly keyId?: string
  hash(previous: string, line: string | Uint8Array): string
}

/** SHA-256 of the previous hash (as text) and the line: shows damage, and changes by those who do not compute it anew. */
export const openSeal: ChainSeal = {
  kind: 'sha256',
  hash: (previous, line) => createHash('sha256').update(previous).update(line).digest('hex'),
}

/**
 * HMAC-SHA-256 of the same under a secret: nobody can compute it anew without the secret.
 * @throws RangeError when the secret has fewer than 32 characters
 */
export function keyedSeal(secret: string): ChainSeal {
  if (secret.length < SECRET_MIN_LENGTH) {
    throw new RangeError(`the secret has ${secret.length} characters, fewer than ${SECRET_MIN_LENGTH}`)
  }
  const hash: ChainSeal['hash'] = (previous, line) =>
    createHmac('sha256', secret).update(previous).update(line).digest('hex')
  return { kind: 'hmac-sha256', keyId: hash('key id', '').slice(0, KEY_ID_LENGTH), hash }
}

/** Whether two seals compute the same hashes. */
export const sameSeal = (one: Pick<ChainSeal, 'kind' | 'keyId'>, other: Pick<ChainSeal, 'kind' | 'keyId'>): boolean =>
  one.kind === other.kind && one.keyId === other.keyId
