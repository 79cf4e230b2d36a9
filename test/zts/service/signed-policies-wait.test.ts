import assert from 'node:assert/strict'
import { describe, mock, test } from 'node:test'
import { DomainWatch } from '#zts/service/domain-watch.ts'
import { signedPoliciesService } from '#zts/service/signed-policies.ts'
import { DOMAIN_MODIFIED, domainsOf } from '../../support/zts-domains.ts'
import { type Answer, Harness, refusal } from './harness.ts'

const TAG = `"${DOMAIN_MODIFIED}"`
const LATER = '2026-08-01T12:00:01.000Z'

const open = () => Harness.open({ services: [signedPoliciesService], domains: [{ name: 'sports' }, { name: 'other' }] })

interface Wait {
  readonly tag?: string
  readonly prefer?: string
  readonly signal?: AbortSignal
}
const ask = (zts: Harness, { tag = TAG, prefer = 'wait=30', signal }: Wait = {}): Promise<Answer> =>
  zts.get('/domain/sports/signed_policy_data', {
    headers: { 'If-None-Match': tag, Prefer: prefer },
    ...(signal && { signal }),
  })

const isPending = async (answer: Promise<unknown>): Promise<boolean> => {
  const pending = Symbol('pending')
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
  return (await Promise.race([answer, Promise.resolve(pending)])) === pending
}

const UNCHANGED: Answer = { status: 304, headers: { etag: TAG, 'preference-applied': 'wait' }, body: undefined }

mock.timers.enable({ apis: ['setTimeout'] })

describe('signed policies for clients that prefer to wait', () => {
  test('are sent at once to those who do not know them', async () => {
    for (const tag of ['', '"2020-01-01T00:00:00.000Z"']) {
      const { status, headers } = await ask(await open(), { tag })
      assert.deepEqual([status, headers], [200, { etag: TAG }])
    }
  })

  test('are sent as soon as the domain changes', async () => {
    const zts = await open()
    const answer = ask(zts)
    assert.ok(await isPending(answer))
    zts.receive({ name: 'sports', modified: LATER })
    const { status, headers, body } = await answer
    assert.deepEqual([status, headers], [200, { etag: `"${LATER}"`, 'preference-applied': 'wait' }])
    assert.equal(body.signedPolicyData.modified, LATER)
  })

  test('are sent as web signatures, too', async () => {
    const zts = await open()
    const headers = { 'If-None-Match': TAG, Prefer: 'wait=30' }
    const answer = zts.post('/domain/sports/policy/signed', { policyVersions: {} }, { headers })
    assert.ok(await isPending(answer))
    zts.receive({ name: 'sports', modified: LATER })
    assert.equal((await answer).status, 200)
  })

  test('are held back when another domain changes, or the same is sent again', async () => {
    const zts = await open()
    const answer = ask(zts)
    zts.receive({ name: 'other', modified: LATER })
    zts.receive({ name: 'sports' })
    assert.ok(await isPending(answer))
    mock.timers.tick(30_000)
    assert.deepEqual(await answer, UNCHANGED)
  })

  test('are not there any more when the domain goes', async () => {
    const zts = await open()
    const answer = ask(zts)
    assert.ok(await isPending(answer))
    zts.receive({ name: 'sports', enabled: false })
    assert.deepEqual(await answer, refusal(404, "Domain not found: 'sports'"))
  })

  test('are answered with 304 when the time is over', async () => {
    const answer = ask(await open(), { prefer: 'wait=10' })
    mock.timers.tick(9_999)
    assert.ok(await isPending(answer))
    mock.timers.tick(1)
    assert.deepEqual(await answer, UNCHANGED)
  })

  test('are waited for no more than a minute', async () => {
    const answer = ask(await open(), { prefer: 'wait=999999999' })
    mock.timers.tick(60_000)
    assert.deepEqual(await answer, UNCHANGED)
  })

  test('are answered with 304 when the server stops or the client goes away', async () => {
    const zts = await open()
    const stop = new AbortController()
    const answer = ask(zts, { signal: stop.signal })
    assert.ok(await isPending(answer))
    stop.abort()
    assert.deepEqual(await answer, UNCHANGED)
    assert.deepEqual(await ask(zts, { signal: stop.signal }), UNCHANGED)
  })

  test('are answered at once without a preference', async () => {
    const { status, headers } = await ask(await open(), { prefer: 'respond-async' })
    assert.deepEqual([status, headers], [304, { etag: TAG }])
  })

  test('are answered at once when too many wait', async () => {
    const zts = await open()
    const waiting = Array.from({ length: 1000 }, () => ask(zts))
    const { status, headers } = await ask(zts)
    assert.deepEqual([status, headers], [304, { etag: TAG }])
    zts.receive({ name: 'sports', modified: LATER })
    const bodies = (await Promise.all(waiting)).map(({ body }) => body.signature)
    assert.equal(new Set(bodies).size, 1)
  })
})

test('DomainWatch lets go of those who leave', async () => {
  const domains = domainsOf({ name: 'sports' })
  const watch = new DomainWatch(domains, { maxWaiters: 1 })
  const stop = new AbortController()
  const first = watch.wait('sports', () => true, { millis: 1000, signal: stop.signal })
  assert.equal(
    watch.wait('sports', () => true, { millis: 1000, signal: undefined }),
    undefined,
  )
  stop.abort()
  assert.deepEqual([await first, watch.waiting], [false, 0])
})
