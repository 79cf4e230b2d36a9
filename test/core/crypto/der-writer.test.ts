import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DerReader } from '#core/crypto/der-reader.ts'
import { derValue } from '#core/crypto/der-writer.ts'

describe('derValue', () => {
  test('writes the length in its shortest form', () => {
    const cases = [
      [0, '3000'],
      [1, '3001'],
      [127, '307f'],
      [128, '308180'],
      [255, '3081ff'],
      [256, '30820100'],
      [65_535, '3082ffff'],
      [65_536, '3083010000'],
    ] as const
    for (const [length, start] of cases) {
      const value = derValue(0x30, Buffer.alloc(length))
      assert.equal(value.subarray(0, value.length - length).toString('hex'), start)
      const reader = new DerReader(value)
      assert.equal(reader.next(0x30).content.length, length)
      reader.end()
    }
  })

  test('puts the pieces one behind the other', () => {
    assert.equal(derValue(0x03, Buffer.from([0]), Buffer.from([1, 2]), Buffer.alloc(0)).toString('hex'), '0303000102')
  })
})
