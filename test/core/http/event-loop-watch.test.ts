import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventLoopWatch } from '#core/http/event-loop-watch.ts'

/** What a watch tells whose timer, due every 100 ms, comes as late as this. */
function told(latenessMillis: readonly number[]): number[] {
  const delays: number[] = []
  let now = 0
  const watch = new EventLoopWatch({ onDelay: (millis) => delays.push(millis), now: () => now })
  watch.start()
  for (const late of latenessMillis) {
    now += 100 + late
    watch.tick()
  }
  watch.stop()
  return delays
}

test('an idle event loop has no delay', () => assert.deepEqual(told([0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), [0, 0]))

test('one long pause is no standing delay', () => {
  assert.deepEqual(told([5000, 0]), [0])
  assert.deepEqual(told([0, 1, 900, 2]), [0])
})

test('the smallest delay of each span is told', () => {
  assert.deepEqual(told([700, 650, 20, 10, 30, 15, 25, 900, 800]), [650, 10, 800])
})

test('a clock that seems to stand still gives no negative delay', () => assert.deepEqual(told([-50, -50, 400, 0]), [0]))
