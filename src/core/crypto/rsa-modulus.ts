/** Every modulus with a factor below this one is refused; a fingerprint of primes up to here is enough for all sizes. */
const SMALL_PRIME_LIMIT = 168
const SMALL_PRIMES = oddPrimesBelow(SMALL_PRIME_LIMIT)
const PRODUCT = SMALL_PRIMES.reduce((product, prime) => product * BigInt(prime), 1n)

/** CVE-2017-15361: primes of the library of Infineon are powers of this number modulo the product of the first primes. */
const ROCA_GENERATOR = 65_537
/** By odd prime: which remainders are powers of the generator. Primes of which all are say nothing. */
const ROCA_REMAINDERS = SMALL_PRIMES.flatMap((prime) => {
  const powers = powersOf(ROCA_GENERATOR, prime)
  return powers.size < prime - 1 ? [{ prime, powers }] : []
})

/** As many as certification authorities have to try (CA/Browser Forum, Baseline Requirements, 6.1.1.3). */
const FERMAT_ROUNDS = 100n

/**
 * Why the factors of an RSA modulus can be found, for moduli whose weakness shows without a search:
 *
 * - it is even or has another small factor, or is a square;
 * - its primes were made by the faulty library of Infineon (ROCA, CVE-2017-15361; Nemec and others, "The Return of
 *   Coppersmith's Attack", section 2.2): such primes, and so their product, are powers of 65537 modulo all small primes.
 *   Of other moduli one of 2^27 is;
 * - its primes are close to each other (CVE-2022-26320), so that Fermat's method finds them in a hundred steps.
 *
 * Undefined for all others. Takes about a tenth of a millisecond for 2048 bits.
 */
export function rsaModulusWeakness(modulus: bigint): string | undefined {
  if (modulus % 2n === 0n) return 'the modulus of the RSA key is even'
  const remainder = modulus % PRODUCT
  if (SMALL_PRIMES.some((prime) => remainder % BigInt(prime) === 0n)) {
    return 'the modulus of the RSA key has a small factor'
  }
  if (ROCA_REMAINDERS.every(({ prime, powers }) => powers.has(Number(remainder % BigInt(prime))))) {
    return 'the RSA key is of those that can be factored because of how their primes were made (ROCA, CVE-2017-15361)'
  }
  return hasCloseFactors(modulus) ? 'the prime factors of the RSA key are too close to each other' : undefined
}

/** Whether Fermat's method finds the factors of an odd number soon: n = a² − b² with a just above its root. */
function hasCloseFactors(modulus: bigint): boolean {
  const root = floorOfRoot(modulus)
  if (root * root === modulus) return true
  let a = root + 1n
  let square = a * a - modulus
  for (let round = 0n; round < FERMAT_ROUNDS; round++) {
    if (isSquare(square)) return true
    square += 2n * a + 1n
    a += 1n
  }
  return false
}

/** Squares end in few of the patterns that six bits have, which tells most numbers that are none. */
const SQUARE_ENDINGS = new Set(Array.from({ length: 64 }, (_, number) => BigInt((number * number) % 64)))
/** Likewise their remainders modulo odd numbers. */
const SQUARE_MODULI = [63n, 65n, 11n, 17n, 19n, 23n, 31n].map((modulus) => ({
  modulus,
  squares: new Set(Array.from({ length: Number(modulus) }, (_, number) => (BigInt(number) * BigInt(number)) % modulus)),
}))
const SQUARE_MODULI_PRODUCT = SQUARE_MODULI.reduce((product, { modulus }) => product * modulus, 1n)

function isSquare(number: bigint): boolean {
  if (!SQUARE_ENDINGS.has(BigInt.asUintN(6, number))) return false
  const remainder = number % SQUARE_MODULI_PRODUCT
  if (!SQUARE_MODULI.every(({ modulus, squares }) => squares.has(remainder % modulus))) return false
  const root = floorOfRoot(number)
  return root * root === number
}

/** The greatest number whose square is not above another, not negative one (Newton's method). */
function floorOfRoot(number: bigint): bigint {
  if (number < 2n) return number
  const bits = BigInt(number.toString(16).length) * 4n
  let root = 1n << ((bits + 1n) / 2n)
  for (;;) {
    const next = (root + number / root) >> 1n
    if (next >= root) return root
    root = next
  }
}

function oddPrimesBelow(limit: number): number[] {
  const numbers = Array.from({ length: limit - 3 }, (_, index) => index + 3)
  return numbers.filter((number) => {
    for (let divisor = 2; divisor * divisor <= number; divisor++) if (number % divisor === 0) return false
    return true
  })
}

function powersOf(generator: number, prime: number): ReadonlySet<number> {
  const powers = new Set<number>()
  for (let power = 1; !powers.has(power); power = (power * generator) % prime) powers.add(power)
  return powers
}
