import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { RestartPolicy } from '#core/workers/restart-policy.ts'

describe('when workers are started again', () => {
  test('at once as long as there is one end for each, then after pauses that double', () => {
    const policy = new RestartPolicy({ workers: 2, now: () => 0 })
    const delays = Array.from({ length: 10 }, () => policy.ended())
    assert.deepEqual(delays, [0, 0, 100, 200, 400, 800, 1600, 3200, 6400, 10_000])
  })

  test('never again when they end five times each within a minute', () => {
    let now = 0
    const policy = new RestartPolicy({ workers: 1, now: () => now })
    for (let end = 0; end < 5; end++) {
      assert.notEqual(policy.ended(), undefined)
      now += 10_000
    }
    assert.equal(policy.ended(), undefined)
  })

  test('at once again when a minute went by without an end', () => {
    let now = 0
    const policy = new RestartPolicy({ workers: 1, now: () => now })
    for (let end = 0; end < 5; end++) policy.ended()
    now = 60_000
    assert.equal(policy.ended(), 0)
  })
})
