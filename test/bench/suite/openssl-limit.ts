import type { Cryptography } from '../bare-server.ts'
import { type KeyFamily, type KeyRates, opensslRates } from '../openssl-speed.ts'

/** Gives how often a second OpenSSL alone does some cryptography, one operation after the other, on all cores. */
export type OpensslLimit = (cryptography: readonly Cryptography[]) => Promise<number>

const OPERATIONS: Readonly<Record<Cryptography, readonly [KeyFamily, keyof KeyRates]>> = {
  'sign-rsa': ['RSA', 'signs'],
  'verify-rsa': ['RSA', 'verifies'],
  'sign-ec': ['EC', 'signs'],
  // To read the key of the request is not among what OpenSSL measures.
  'verify-request-ec': ['EC', 'verifies'],
}
const SECONDS = 1

/** The limit by `openssl speed`; what it says of a key is asked once for all operations with it. */
export const measuredOpensslLimit =
  (ratesOf: (family: KeyFamily, seconds: number) => Promise<KeyRates> = opensslRates): OpensslLimit =>
  async (cryptography) => {
    const operations = cryptography.map((name) => OPERATIONS[name])
    const rates = new Map<KeyFamily, KeyRates>()
    for (const [family] of operations) if (!rates.has(family)) rates.set(family, await ratesOf(family, SECONDS))
    const seconds = operations.map(([family, operation]) => 1 / (rates.get(family)?.[operation] ?? Number.NaN))
    return 1 / seconds.reduce((sum, each) => sum + each, 0)
  }
