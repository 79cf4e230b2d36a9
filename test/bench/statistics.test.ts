import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { median, pairedRatio, percentile, ratioByTurns } from './statistics.ts'

describe('median', () => {
  test('is the middle value, whatever the order', () => {
    assert.equal(median([3, 1, 2]), 2)
  })

  test('is the mean of the two in the middle', () => {
    assert.equal(median([4, 1, 2, 10]), 3)
  })

  test('refuses an empty list', () => {
    assert.throws(() => median([]), { name: 'RangeError', message: 'no values' })
  })
})

describe('percentile', () => {
  const hundred = Array.from({ length: 101 }, (_, index) => index)

  test('is the value at that part of the list', () => {
    assert.deepEqual(
      [0, 0.5, 0.99, 1].map((part) => percentile(hundred, part)),
      [0, 50, 99, 100],
    )
  })

  test('of one value is that value', () => {
    assert.equal(percentile([7], 0.99), 7)
  })

  test('of nothing is 0', () => {
    assert.equal(percentile([], 0.5), 0)
  })

  test('never gets smaller for a larger part', () => {
    const part = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(fc.array(fc.nat(), { minLength: 1 }), part, part, (values, a, b) => {
        const sorted = values.toSorted((one, other) => one - other)
        return percentile(sorted, Math.min(a, b)) <= percentile(sorted, Math.max(a, b))
      }),
    )
  })
})

describe('ratioByTurns', () => {
  const value = (each: number) => each

  test('compares each round with the mean of the limits around it', () => {
    assert.equal(ratioByTurns([10], [4, 6], value, value), 2)
  })

  test('is the middle one of the ratios', () => {
    assert.equal(ratioByTurns([10, 30, 100], [10, 10, 10, 10], value, value), 3)
  })

  test('does not change when a machine gets slower all the time', () => {
    const slower = (step: number) => 100 - step * 10
    const limits = [0, 2, 4, 6].map(slower)
    const rounds = [1, 3, 5].map((step) => slower(step) / 2)
    assert.equal(ratioByTurns(rounds, limits, value, value), 0.5)
  })

  test('is no number when a limit is missing', () => {
    assert.equal(ratioByTurns([10], [4], value, value), Number.NaN)
  })
})

describe('pairedRatio', () => {
  test('is the middle one of the ratios of the rounds', () => {
    assert.equal(pairedRatio([2, 30, 8], [1, 10, 1]), 3)
  })

  test('refuses lists of different lengths', () => {
    assert.throws(() => pairedRatio([1], [1, 2]), { name: 'RangeError', message: 'both need a value for each round' })
  })
})
