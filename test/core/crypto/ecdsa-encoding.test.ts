import assert from 'node:assert/strict'
import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { derToP1363, p1363ToDer } from '#core/crypto/ecdsa-encoding.ts'

const CURVES = [
  ['P-256', 32],
  ['P-384', 48],
  ['P-521', 66],
] as const

describe('encodings of ECDSA signatures', () => {
  for (const [namedCurve, bytes] of CURVES) {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve })
    const data = Buffer.from('text')

    it(`translates signatures with ${namedCurve} in both directions`, () => {
      for (let round = 0; round < 50; round++) {
        const raw = derToP1363(sign('sha256', data, privateKey), bytes)
        assert.ok(verify('sha256', data, { key: publicKey, dsaEncoding: 'ieee-p1363' }, raw))
        const der = p1363ToDer(sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' }))
        assert.ok(verify('sha256', data, publicKey, der))
      }
    })

    it(`gives back every pair of numbers with the size of ${namedCurve}`, () => {
      const number = fc.tuple(fc.nat({ max: bytes }), fc.uint8Array({ minLength: bytes, maxLength: bytes }))
      const leadingZeros = ([zeros, digits]: [number, Uint8Array]) =>
        digits.map((digit, at) => (at < zeros ? 0 : digit))
      fc.assert(
        fc.property(number.map(leadingZeros), number.map(leadingZeros), (r, s) => {
          const raw = Buffer.concat([r, s])
          assert.deepEqual(derToP1363(p1363ToDer(raw), bytes), raw)
        }),
      )
    })
  }

  it('writes the shortest form', () => {
    const raw = Buffer.alloc(64)
    assert.equal(p1363ToDer(raw).toString('hex'), '3006020100020100')
    raw[31] = 0x7f
    raw[63] = 0x80
    assert.equal(p1363ToDer(raw).toString('hex'), '300702017f02020080')
  })

  it('never reads beyond what it is given', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        try {
          assert.equal(derToP1363(bytes, 32).length, 64)
        } catch (error) {
          assert.ok(error instanceof RangeError, String(error))
        }
      }),
    )
  })
})
