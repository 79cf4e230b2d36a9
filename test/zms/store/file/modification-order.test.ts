import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { ModificationOrder } from '#zms/store/file/modification-order.ts'

function openOrder() {
  const domains = new Map<string, number>()
  const order = new ModificationOrder((name) => domains.get(name))
  const modify = (name: string, modified: number) => {
    domains.set(name, modified)
    order.note(name, modified)
  }
  return { domains, order, modify }
}

describe('what was modified since a moment', () => {
  test('is what was modified then or later, oldest first', () => {
    const { order, modify } = openOrder()
    for (const [name, modified] of [
      ['a', 10],
      ['b', 20],
      ['c', 30],
    ] as const) {
      modify(name, modified)
    }
    assert.deepEqual(order.since(20), ['b', 'c'])
    assert.deepEqual(order.since(31), [])
    assert.deepEqual(order.since(0), ['a', 'b', 'c'])
  })

  test('has a domain once, where it was modified last', () => {
    const { order, modify } = openOrder()
    modify('a', 10)
    modify('b', 20)
    modify('a', 30)
    modify('a', 30)
    assert.deepEqual(order.since(0), ['b', 'a'])
    assert.deepEqual(order.since(25), ['a'])
  })

  test('does not depend on the order in which a start reads the domains', () => {
    const { order, modify } = openOrder()
    modify('c', 30)
    modify('a', 10)
    modify('b', 20)
    assert.deepEqual(order.since(10), ['a', 'b', 'c'])
  })

  test('has no domains that are gone', () => {
    const { order, domains, modify } = openOrder()
    modify('a', 10)
    modify('b', 20)
    domains.delete('a')
    assert.deepEqual(order.since(0), ['b'])
  })

  test('is right after any number of modifications', () => {
    const modification = fc.record({
      name: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      modified: fc.nat({ max: 50 }),
      repeats: fc.constantFrom(1, 1, 1, 3000),
      isDeletion: fc.constantFrom(false, false, false, true),
    })
    fc.assert(
      fc.property(fc.array(modification, { maxLength: 30 }), fc.nat({ max: 60 }), (modifications, since) => {
        const { order, domains, modify } = openOrder()
        for (const { name, modified, repeats, isDeletion } of modifications) {
          if (isDeletion) domains.delete(name)
          else for (let count = 0; count < repeats; count++) modify(name, modified + count)
        }
        const expected = [...domains].filter(([, modified]) => modified >= since)
        const found = order.since(since)
        assert.deepEqual([...found].sort(), expected.map(([name]) => name).sort())
        const times = found.map((name) => domains.get(name) ?? Number.NaN)
        assert.deepEqual(
          times,
          times.toSorted((a, b) => a - b),
        )
      }),
    )
  })
})
