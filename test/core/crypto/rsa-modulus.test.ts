import assert from 'node:assert/strict'
import { generatePrimeSync, type KeyObject } from 'node:crypto'
import { describe, test } from 'node:test'
import { findKeyKind, findSoundKeyKind } from '#core/crypto/key-kind.ts'
import { loadPrivateKey, loadPublicKey } from '#core/crypto/keys.ts'
import { rsaModulusWeakness } from '#core/crypto/rsa-modulus.ts'
import { ServiceError } from '#core/error/service-error.ts'
import { closePrimesPrivateKey, goodModulus, rocaPrivateKey, rsaPublicKey } from '../../support/weak-rsa-keys.ts'

const prime = (bits: number) => generatePrimeSync(bits, { bigint: true })

describe('the modulus of an RSA key', () => {
  for (const bits of [2048, 2049, 3072, 4096]) {
    test(`of ${bits} bits is good as it is usually made`, () => {
      for (let key = 0; key < 3; key++) assert.equal(rsaModulusWeakness(goodModulus(bits)), undefined)
    })
  }

  test('is refused when it is even or has a small factor', () => {
    const good = goodModulus()
    assert.match(rsaModulusWeakness(good + 1n) ?? '', /^the modulus of the RSA key is even$/)
    const factorless = prime(2040)
    for (const factor of [3n, 5n, 89n, 163n, 167n]) {
      assert.match(rsaModulusWeakness(factorless * factor) ?? '', /^the modulus of the RSA key has a small factor$/)
    }
    assert.equal(rsaModulusWeakness(prime(1000) * prime(1048)), undefined)
  })

  test('is refused when it is a square, or its factors are found by a hundred steps of Fermat', () => {
    const p = prime(1024)
    assert.match(rsaModulusWeakness(p * p) ?? '', /too close/)
    // With p = a - b and q = a + b the method begins near the root of p q, so that its steps are about b² / 2a.
    const far = 2n ** 514n
    const near = 2n ** 510n
    const oddFrom = (number: bigint): bigint => {
      let candidate = number | 1n
      while (rsaModulusWeakness(candidate)?.includes('small factor')) candidate += 2n
      return candidate
    }
    assert.match(rsaModulusWeakness(p * oddFrom(p + near)) ?? '', /too close/)
    assert.equal(rsaModulusWeakness(p * oddFrom(p + far * 64n)), undefined)
  })
})

describe('keys that can be factored', () => {
  const weak: [what: string, key: () => KeyObject, reason: RegExp][] = [
    ['of primes of the faulty library of Infineon', rocaPrivateKey, /ROCA, CVE-2017-15361/],
    ['of primes next to each other', closePrimesPrivateKey, /prime factors of the RSA key are too close to each other/],
  ]
  for (const [what, make, reason] of weak) {
    test(`${what} are refused, public and private`, () => {
      const key = make()
      // Nothing that is seen of such a key is unusual.
      assert.equal((findKeyKind(key) as { name: string }).name, 'RSA')
      assert.match(findSoundKeyKind(key) as string, reason)
      const texts = [
        () => loadPrivateKey(key.export({ type: 'pkcs8', format: 'pem' }) as string),
        () => loadPublicKey(publicText(key)),
      ]
      for (const load of texts) {
        assert.throws(load, (error) => {
          assert.ok(error instanceof ServiceError)
          assert.equal(error.status, 400)
          assert.match(error.message, /^the key is refused: /)
          assert.match(error.message, reason)
          return true
        })
      }
    })
  }

  test('of no particular kind are not taken for them', () => {
    const key = rsaPublicKey(goodModulus())
    assert.equal((findSoundKeyKind(key) as { name: string }).name, 'RSA')
  })
})

function publicText(key: KeyObject): string {
  const { n = '' } = key.export({ format: 'jwk' })
  const modulus = BigInt(`0x${Buffer.from(n, 'base64url').toString('hex')}`)
  return rsaPublicKey(modulus).export({ type: 'spki', format: 'pem' }) as string
}
