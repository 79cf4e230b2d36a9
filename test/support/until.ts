import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'

const LOOK_MILLIS = 5

/** Waits until something is so, with a look every few milliseconds; fails when it is not so in time. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  { timeoutMillis = 10_000, what = 'what was waited for' } = {},
): Promise<void> {
  const end = performance.now() + timeoutMillis
  while (!(await condition())) {
    assert.ok(performance.now() < end, `${what} did not happen within ${timeoutMillis} ms`)
    await pause(LOOK_MILLIS)
  }
}
