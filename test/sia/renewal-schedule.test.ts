import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isDue, mayTryAgain } from '#sia/renewal-schedule.ts'

const HOUR = 3_600_000
const FROM = 1_800_000_000_000
const validity = { fromMillis: FROM, untilMillis: FROM + 30 * HOUR }

describe('a certificate is due', () => {
  const cases: readonly (readonly [string, number, number, boolean])[] = [
    ['after a third of its life', 10 * HOUR, 0, true],
    ['not before', 10 * HOUR - 1, 0, false],
    ['up to a tenth of that earlier by chance', 9 * HOUR, 1, true],
    ['not earlier than that', 9 * HOUR - 1, 1, false],
    ['when it has ended, however long ago', 3000 * HOUR, 0, true],
    ['not in a time before it', -HOUR, 0, false],
  ]
  for (const [name, age, chance, expected] of cases) {
    test(name, () => assert.equal(isDue(validity, FROM + age, chance), expected))
  }

  test('when there is none', () => assert.equal(isDue(undefined, FROM, 0), true))
})

describe('after failures', () => {
  const after = (count: number, sinceMillis: number, chance = 0, leftMillis: number | undefined = 1000 * HOUR) => {
    const now = FROM
    const until = { fromMillis: 0, untilMillis: now + (leftMillis ?? 0) }
    return mayTryAgain(
      { count, lastMillis: now - sinceMillis, chance },
      leftMillis === undefined ? undefined : until,
      now,
    )
  }

  test('the pause doubles from a minute to an hour', () => {
    const pauses = [1, 2, 4, 8, 16, 32, 60, 60].map((minutes) => minutes * 60_000)
    for (const [index, pause] of pauses.entries()) {
      assert.deepEqual([after(index + 1, pause - 1), after(index + 1, pause)], [false, true], `failure ${index + 1}`)
    }
  })

  test('chance makes it up to half shorter', () => {
    assert.deepEqual([after(1, 30_000, 1), after(1, 29_999, 1)], [true, false])
  })

  test('it is never longer than a third of what is left, unless that is less than a minute', () => {
    assert.deepEqual([after(9, 10 * 60_000, 0, HOUR / 2), after(9, 10 * 60_000 - 1, 0, HOUR / 2)], [true, false])
    assert.deepEqual([after(9, 60_000, 0, 60_000), after(9, 59_999, 0, 60_000)], [true, false])
  })

  test('it ends when the clock is set back', () => assert.equal(after(9, -1), true))
  test('there is none without failures', () => assert.equal(mayTryAgain(undefined, undefined, FROM), true))
})
