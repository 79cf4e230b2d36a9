import assert from 'node:assert/strict'
import { test } from 'node:test'
import { atOnce, inTurns, type Steps } from '#core/seam/steps.ts'

/** Work of so many steps that each take some milliseconds. */
function* work(steps: number, stepMillis = 0): Steps<number> {
  let sum = 0
  for (let step = 0; step < steps; step++) {
    const end = performance.now() + stepMillis
    while (performance.now() < end);
    sum += step
    yield
  }
  return sum
}

test('the result is the same at once and in turns', async () => {
  assert.equal(atOnce(work(100)), 4950)
  assert.equal(await inTurns(work(100)), 4950)
})

test('others have their turn between steps', async () => {
  let turns = 0
  const ticking = setInterval(() => turns++, 1)
  await inTurns(work(20, 3))
  clearInterval(ticking)
  assert.ok(turns > 2, `${turns} turns`)
})

test('what a step throws ends the work', async () => {
  function* failing(): Steps<number> {
    yield
    throw new Error('no')
  }
  assert.throws(() => atOnce(failing()), /^Error: no$/)
  await assert.rejects(inTurns(failing()), /^Error: no$/)
})
