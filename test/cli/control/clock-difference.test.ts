import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clockDifference } from '../../../src/cli/control/clock-difference.ts'

test('a clock is off by no less than what the way to it and its steps do not explain', () => {
  const asked = { sent: 10_000, answered: 10_400, stepMillis: 1000 }
  const cases: [told: number, difference: number][] = [
    [10_000, 0],
    [10_400, 0],
    [10_401, 1],
    [70_400, 60_000],
    // It may have been 9.999 s when it was asked: seconds that have begun are not shown.
    [9_000, 0],
    [8_999, -1],
    [0, -9_000],
  ]
  for (const [told, difference] of cases) assert.equal(clockDifference(told, asked), difference, `${told}`)
  assert.equal(clockDifference(Number.NaN, asked), undefined)
})
