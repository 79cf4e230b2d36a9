import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isFreshByQuarter, isFreshWithin } from '#client/token-freshness.ts'

const NOW = 1_800_000_000_000
const kept = (remainingSeconds: number, ageSeconds = 0) => ({
  token: 't',
  askedAtMillis: NOW - ageSeconds * 1000,
  expiresAtMillis: NOW + remainingSeconds * 1000,
})

describe('a role token is fresh', () => {
  const cases: readonly (readonly [
    string,
    number,
    { minExpirySeconds?: number; maxExpirySeconds?: number },
    boolean,
  ])[] = [
    ['with a quarter of an hour left', 900, {}, true],
    ['not with less', 899, {}, false],
    ['with the life that the caller needs', 60, { minExpirySeconds: 60 }, true],
    ['not with less than the caller needs', 59, { minExpirySeconds: 60 }, false],
    ['with at most five minutes more than the caller allows', 3900, { maxExpirySeconds: 3600 }, true],
    ['not with more than that', 3901, { maxExpirySeconds: 3600 }, false],
    ['with little life when only a longest one is given', 1, { maxExpirySeconds: 3600 }, true],
    ['never when it has expired', 0, { minExpirySeconds: 0, maxExpirySeconds: 3600 }, false],
  ]
  for (const [name, remaining, bounds, expected] of cases) {
    test(name, () => assert.equal(isFreshWithin(kept(remaining), bounds, NOW, 900), expected))
  }

  test('not when the clock was set back behind the time it was asked for', () => {
    assert.equal(isFreshWithin(kept(7200, -1), {}, NOW, 900), false)
  })
})

describe('an access token is fresh', () => {
  const cases: readonly (readonly [string, number, number, number | undefined, boolean])[] = [
    ['with a quarter of the life that was asked for', 900, 100, 3600, true],
    ['not with less', 899, 100, 3600, false],
    ['with a quarter of its life when none was asked for', 900, 2700, undefined, true],
    ['not with less of that', 899, 2701, undefined, false],
    ['by its own life, too, when 0 was asked for', 899, 2701, 0, false],
    ['never when it has expired', 0, 100, 1, false],
  ]
  for (const [name, remaining, age, expiry, expected] of cases) {
    test(name, () => assert.equal(isFreshByQuarter(kept(remaining, age), expiry, NOW), expected))
  }
})
