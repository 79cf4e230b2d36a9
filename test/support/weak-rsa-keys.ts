import {
  checkPrimeSync,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  generatePrimeSync,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto'

const EXPONENT = 65_537n

/** Text of a number in JSON web keys. */
const encoded = (number: bigint): string => {
  const hex = number.toString(16)
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex').toString('base64url')
}

/** A public key, whatever its numbers are. */
export const rsaPublicKey = (n: bigint, e = EXPONENT): KeyObject =>
  createPublicKey({ key: { kty: 'RSA', n: encoded(n), e: encoded(e) }, format: 'jwk' })

/** The private key of two primes. */
function rsaPrivateKey(p: bigint, q: bigint): KeyObject {
  const d = inverse(EXPONENT, (p - 1n) * (q - 1n))
  const numbers = { n: p * q, e: EXPONENT, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi: inverse(q, p) }
  const members = Object.entries(numbers).map(([name, number]) => [name, encoded(number)])
  return createPrivateKey({ key: { kty: 'RSA', ...Object.fromEntries(members) } as JsonWebKey, format: 'jwk' })
}

/** As the primes of ROCA are made: a power of 65537 modulo the product of the first 126 primes, of 971 bits. */
export function rocaPrivateKey(): KeyObject {
  const product = firstPrimes(126).reduce((all, prime) => all * BigInt(prime), 1n)
  const prime = () => {
    const power = powerOf(EXPONENT, generatePrimeSync(64, { bigint: true }), product)
    return generatePrimeSync(1024, { add: product, rem: power, bigint: true })
  }
  for (;;) {
    const [p, q] = [prime(), prime()]
    if ((p * q).toString(2).length === 2048) return rsaPrivateKey(p, q)
  }
}

/** Two primes next to each other, which Fermat's method finds at once. */
export function closePrimesPrivateKey(): KeyObject {
  const p = generatePrimeSync(1024, { bigint: true })
  return rsaPrivateKey(p, primeAbove(p))
}

/** A good modulus. */
export const goodModulus = (bits = 2048): bigint => {
  const { n = '' } = generateKeyPairSync('rsa', { modulusLength: bits }).publicKey.export({ format: 'jwk' })
  return BigInt(`0x${Buffer.from(n, 'base64url').toString('hex')}`)
}

function primeAbove(prime: bigint): bigint {
  let candidate = prime + 2n
  while (!checkPrimeSync(candidate)) candidate += 2n
  return candidate
}

function firstPrimes(count: number): number[] {
  const primes: number[] = []
  for (let number = 2; primes.length < count; number++)
    if (primes.every((prime) => number % prime !== 0)) primes.push(number)
  return primes
}

function powerOf(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n
  let square = base % modulus
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % modulus
    square = (square * square) % modulus
  }
  return result
}

function inverse(number: bigint, modulus: bigint): bigint {
  let [remainder, next] = [modulus, number % modulus]
  let [factor, nextFactor] = [0n, 1n]
  while (next !== 0n) {
    const quotient = remainder / next
    ;[remainder, next] = [next, remainder - quotient * next]
    ;[factor, nextFactor] = [nextFactor, factor - quotient * nextFactor]
  }
  return factor < 0n ? factor + modulus : factor
}
