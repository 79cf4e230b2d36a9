import assert from 'node:assert/strict'
import { test } from 'node:test'
import { patienceOf, preferredWaitSeconds } from '#core/http/prefer.ts'

const cases: { header: string | undefined; seconds: number | undefined }[] = [
  { header: undefined, seconds: undefined },
  { header: '', seconds: undefined },
  { header: 'wait=30', seconds: 30 },
  { header: 'Wait = "5"', seconds: 5 },
  { header: 'respond-async, wait=10', seconds: 10 },
  { header: 'return=minimal; foo="some parameter", wait=10; x=y', seconds: 10 },
  { header: 'wait=1, wait=2', seconds: 1 },
  { header: 'wait=0', seconds: 0 },
  { header: 'wait', seconds: undefined },
  { header: 'wait=', seconds: undefined },
  { header: 'wait=-1', seconds: undefined },
  { header: 'wait=1.5', seconds: undefined },
  { header: 'wait=12345678901', seconds: undefined },
  { header: 'await=5', seconds: undefined },
  { header: 'respond-async; wait=5', seconds: undefined },
  { header: `${'x,'.repeat(1000)}wait=5`, seconds: undefined },
]
for (const { header, seconds } of cases) {
  const shown = header === undefined ? 'no header' : JSON.stringify(header.slice(0, 50))
  test(`reads ${seconds ?? 'no'} seconds from ${shown}`, () => assert.equal(preferredWaitSeconds(header), seconds))
}

const contextOf = (prefer: string | undefined, signal?: AbortSignal) => ({
  header: (name: string) => (name === 'prefer' ? prefer : undefined),
  ...(signal && { signal }),
})

test('patience is what the client prefers, a minute at most, and ends with the request', () => {
  const { signal } = new AbortController()
  assert.deepEqual(patienceOf(contextOf('wait=5', signal)), { millis: 5000, signal })
  assert.deepEqual(patienceOf(contextOf('wait=999999999')), { millis: 60_000, signal: undefined })
  assert.equal(patienceOf(contextOf(undefined)), undefined)
  assert.equal(patienceOf(contextOf('respond-async')), undefined)
})
