import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { SmallMap } from '#zms/store/small-map.ts'

const keys = fc.oneof(
  fc.constantFrom('', 'a', 'b', '__proto__', 'constructor', '0', '1'),
  fc.integer({ min: 0, max: 12 }),
)
const steps = fc.array(
  fc.oneof(
    fc.record({ put: keys, value: fc.option(fc.nat(), { nil: undefined }) }),
    fc.record({ remove: keys }),
    fc.constant('clear' as const),
  ),
  { maxLength: 60 },
)

type Steps = typeof steps extends fc.Arbitrary<infer T> ? T : never

function applyTo(map: Map<string | number, number | undefined>, changes: Steps): unknown[] {
  return changes.map((change) => {
    if (change === 'clear') return map.clear()
    if ('remove' in change) return map.delete(change.remove)
    return map.set(change.put, change.value).size
  })
}

describe('a small map', () => {
  test('behaves like a map of any size', () => {
    fc.assert(
      fc.property(steps, (changes) => {
        const [map, small] = [
          new Map<string | number, number | undefined>(),
          new SmallMap<string | number, number | undefined>(),
        ]
        assert.deepEqual(applyTo(small, changes), applyTo(map, changes))
        assert.equal(small.size, map.size)
        assert.deepEqual([...small], [...map])
        assert.deepEqual([...small.entries()], [...map.entries()])
        assert.deepEqual([...small.keys()], [...map.keys()])
        assert.deepEqual([...small.values()], [...map.values()])
        for (const key of ['', 'a', '__proto__', 0, 5, 12, '0', 'nothing']) {
          assert.deepEqual([small.has(key), small.get(key)], [map.has(key), map.get(key)])
        }
        const called: unknown[] = []
        small.forEach((value, key, self) => called.push([key, value, self === small]))
        assert.deepEqual(
          called,
          [...map].map(([key, value]) => [key, value, true]),
        )
      }),
      { numRuns: 1000 },
    )
  })

  test('is filled from entries, the last of equal keys counting', () => {
    const entries: [string, number][] = [
      ['a', 1],
      ['b', 2],
      ['a', 3],
    ]
    assert.deepEqual([...new SmallMap(entries)], [...new Map(entries)])
  })

  test('goes over the entries that there were when an iteration began', () => {
    const map = new SmallMap<string, number>([
      ['a', 1],
      ['b', 2],
    ])
    const seen: string[] = []
    for (const key of map.keys()) {
      seen.push(key)
      map.delete(key)
      map.set(`${key}2`, 0)
    }
    assert.deepEqual(seen, ['a', 'b'])
    assert.deepEqual([...map.keys()], ['a2', 'b2'])
  })
})
