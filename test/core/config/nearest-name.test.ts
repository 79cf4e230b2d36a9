import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { editDistance, nearestName } from '#core/config/nearest-name.ts'

describe('editDistance', () => {
  const cases: readonly (readonly [a: string, b: string, distance: number])[] = [
    ['', '', 0],
    ['port', 'port', 0],
    ['', 'abc', 3],
    ['prot', 'port', 1],
    ['tls_prot', 'tls_port', 1],
    ['jdbcstore', 'jdbc_store', 1],
    ['jdbc_stores', 'jdbc_store', 1],
    ['kitten', 'sitting', 3],
  ]
  for (const [a, b, distance] of cases) {
    it(`of "${a}" and "${b}" is ${distance}`, () => {
      assert.equal(editDistance(a, b, 9), distance)
      assert.equal(editDistance(b, a, 9), distance)
    })
  }

  it('stops counting at the limit', () => assert.equal(editDistance('abcdef', 'uvwxyz', 2), 3))
})

describe('nearestName', () => {
  const known = ['athenz.port', 'athenz.tls_port', 'athenz.status_port']

  it('finds the most alike', () => assert.equal(nearestName('athenz.tlsport', known), 'athenz.tls_port'))
  it('proposes nothing that is too different', () => assert.equal(nearestName('athenz.keep_alive', known), undefined))
})
