import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { newTokenSalt } from '#core/token/token-salt.ts'

describe('newTokenSalt', () => {
  it('is a hexadecimal number of 64 bits without padding, each time another one, every bit random', () => {
    const salts = Array.from({ length: 2000 }, newTokenSalt)
    for (const salt of salts) assert.match(salt, /^[1-9a-f][0-9a-f]{0,15}$/)
    assert.equal(new Set(salts).size, salts.length)
    const numbers = salts.map((salt) => BigInt(`0x${salt}`))
    for (let bit = 0n; bit < 64n; bit++) {
      const ones = numbers.filter((number) => (number >> bit) & 1n).length
      assert.ok(ones > 800 && ones < 1200, `bit ${bit} is set ${ones} times`)
    }
  })
})
