import { randomBytes } from 'node:crypto'

/** A random 64-bit number in hexadecimal without padding, which makes tokens of the same second differ. */
export function newTokenSalt(): string {
  return randomBytes(8).readBigUInt64BE().toString(16)
}
