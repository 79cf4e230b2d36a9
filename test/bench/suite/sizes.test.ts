import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { along, baseSize, GRID_SIZES, STANDARD_SIZES, sizeKey, walk } from './sizes.ts'

describe('the base', () => {
  test('is the standard size where that is among the sizes', () => {
    assert.deepEqual(baseSize(GRID_SIZES), { domains: 1000, members: 10, assertions: 10 })
  })

  test('is otherwise the first of each list', () => {
    assert.deepEqual(baseSize({ domains: [5, 2], members: [7], assertions: [10] }), {
      domains: 5,
      members: 7,
      assertions: 10,
    })
  })

  test('is nothing without sizes', () => {
    assert.throws(() => baseSize({ ...STANDARD_SIZES, members: [] }), { message: 'no sizes of members' })
  })
})

describe('a walk', () => {
  test('goes along each axis, the others at the base, and is at the base once', () => {
    assert.deepEqual(
      walk(GRID_SIZES, ['domains', 'assertions']).map(({ domains, members, assertions }) => [
        domains,
        members,
        assertions,
      ]),
      [
        [1, 10, 10],
        [1000, 10, 10],
        [10_000, 10, 10],
        [1000, 10, 10_000],
      ],
    )
  })

  test('without axes is at the base', () => {
    assert.deepEqual(walk(GRID_SIZES, []), [{ domains: 1000, members: 10, assertions: 10 }])
  })
})

test('a size has the same key whatever the order of its axes', () => {
  assert.equal(sizeKey({ members: 10, domains: 1 }), sizeKey({ domains: 1, members: 10 }))
  assert.notEqual(sizeKey({ members: 10 }), sizeKey({ domains: 10 }))
})

test('a size along some axes has no others', () => {
  assert.deepEqual(along({ domains: 1, members: 2, assertions: 3 }, ['members']), { members: 2 })
})
