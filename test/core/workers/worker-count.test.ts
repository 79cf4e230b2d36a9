import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { workerCount } from '#core/workers/worker-count.ts'

describe('the workers of a server', () => {
  test('are none when it is a single process', () => {
    assert.deepEqual([workerCount(0, 8), workerCount(1, 8), workerCount('auto', 1)], [0, 0, 0])
  })

  test('are as many as are asked for, or one for each processor', () => {
    assert.deepEqual([workerCount(2, 1), workerCount(5, 8), workerCount('auto', 8)], [2, 5, 8])
  })
})
