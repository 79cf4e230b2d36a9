import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, mock, test } from 'node:test'
import { createSigner } from '#core/crypto/signing.ts'
import type { RequestContext } from '#core/http/endpoint.ts'
import { signedDomainsService } from '#zms/service/signed-domains.ts'
import type { Change } from '#zms/store/change.ts'
import { Harness, principalOf } from './harness.ts'
import { commit } from './objects.ts'

const signer = createSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, '0')
const touch: Change = { kind: 'touchDomain', domain: 'sports' }
const context: RequestContext = {
  requestId: '',
  api: 'test',
  method: 'PUT',
  principal: principalOf('user.admin'),
  remoteAddress: '',
  header: () => undefined,
}

/** A server whose newest change is long past, and the tag a client has of it. */
async function world(): Promise<{ zms: Harness; tag: string }> {
  const zms = await Harness.open({ services: [signedDomainsService], parts: { signer } })
  zms.clock.millis += 60_000
  await zms.createDomain('sports')
  const tag = `"${new Date((await zms.domain('sports')).modified).toISOString()}"`
  zms.clock.millis += 60_000
  return { zms, tag }
}

interface Wait {
  tag?: string
  prefer?: string
  query?: string
  signal?: AbortSignal
}
const ask = (zms: Harness, { tag, prefer = 'wait=30', query = 'metaonly=true', signal }: Wait) =>
  zms.get(`/sys/modified_domains?${query}`, {
    headers: { ...(tag !== undefined && { 'If-None-Match': tag }), Prefer: prefer },
    ...(signal && { signal }),
  })

/** A change that this server makes. */
const change = ({ deps }: Harness) =>
  deps.writes.commit({ context, domains: ['sports'], entity: '', auditRef: undefined }, (transaction) =>
    transaction.apply(touch),
  )

/** Lets everything happen that waits for nothing but the store. */
const settle = async () => {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
}

const isPending = async (answer: Promise<unknown>): Promise<boolean> => {
  const pending = Symbol('pending')
  await settle()
  return (await Promise.race([answer, Promise.resolve(pending)])) === pending
}

const names = (body: { domains: { domain: { name: string } }[] }) => body.domains.map(({ domain }) => domain.name)

mock.timers.enable({ apis: ['setTimeout'] })

describe('getSignedDomains for clients that prefer to wait', () => {
  test('answers at once when something is newer than the tag', async () => {
    const { zms, tag } = await world()
    await change(zms)
    const { status, headers, body } = await ask(zms, { tag })
    assert.deepEqual([status, headers['preference-applied'], names(body)], [200, 'wait', ['sports']])
  })

  test('answers at once to a tag of which it does not know what was told with it', async () => {
    const { zms, tag } = await world()
    const { status, headers, body } = await ask(zms, { tag })
    assert.deepEqual([status, headers, names(body)], [200, { etag: tag, 'preference-applied': 'wait' }, ['sports']])
  })

  test('holds the answer until this server changes something', async () => {
    const { zms, tag } = await world()
    await ask(zms, { tag })
    const answer = ask(zms, { tag })
    assert.ok(await isPending(answer))
    await change(zms)
    const { status, headers, body } = await answer
    assert.deepEqual([status, names(body), headers['preference-applied']], [200, ['sports'], 'wait'])
    assert.notEqual(headers['etag'], tag)
  })

  test('sees within half a second what another server changes', async () => {
    const { zms, tag } = await world()
    await ask(zms, { tag })
    const answer = ask(zms, { tag })
    assert.ok(await isPending(answer))
    await commit(zms, touch)
    assert.ok(await isPending(answer))
    mock.timers.tick(500)
    assert.equal((await answer).status, 200)
  })

  test('answers 304 with the tag when the time is over', async () => {
    const { zms, tag } = await world()
    await ask(zms, { tag })
    const answer = ask(zms, { tag, prefer: 'wait=10' })
    assert.ok(await isPending(answer))
    mock.timers.tick(9_999)
    assert.ok(await isPending(answer))
    mock.timers.tick(1)
    const { status, headers } = await answer
    assert.deepEqual([status, headers], [304, { etag: tag, 'preference-applied': 'wait' }])
  })

  test('waits for no more than a minute', async () => {
    const { zms, tag } = await world()
    await ask(zms, { tag })
    const answer = ask(zms, { tag, prefer: 'wait=999999999' })
    assert.ok(await isPending(answer))
    mock.timers.tick(60_000)
    assert.equal((await answer).status, 304)
  })

  test('answers at once when the server stops or the client goes away', async () => {
    const { zms, tag } = await world()
    await ask(zms, { tag })
    const stop = new AbortController()
    const answer = ask(zms, { tag, signal: stop.signal })
    assert.ok(await isPending(answer))
    stop.abort()
    assert.equal((await answer).status, 304)
    assert.equal((await ask(zms, { tag, signal: stop.signal })).status, 304)
  })

  test('tells again of what was changed shortly before the tag', async () => {
    const { zms } = await world()
    await change(zms)
    zms.clock.millis += 1000
    await zms.createDomain('other')
    const { headers } = await ask(zms, { tag: '"2020-01-01T00:00:00.000Z"' })
    const { body } = await ask(zms, { tag: headers['etag'], prefer: 'wait=0', query: 'metaonly=true' })
    assert.equal(body, undefined)
    zms.clock.millis += 1000
    await zms.createDomain('third')
    assert.deepEqual(names((await ask(zms, { tag: headers['etag'] })).body), ['sports', 'other', 'third'])
  })

  test('does not hold back the answer to a request without a tag it knows', async () => {
    const { zms } = await world()
    for (const tag of [undefined, 'garbage']) {
      const { status, headers } = await ask(zms, { ...(tag && { tag }) })
      assert.deepEqual([status, headers['preference-applied']], [200, undefined])
    }
  })

  test('holds the answer to a tag that is younger than everything', async () => {
    const { zms } = await world()
    const tag = '"2099-01-01T00:00:00.000Z"'
    const answer = ask(zms, { tag })
    assert.ok(await isPending(answer))
    mock.timers.tick(30_000)
    assert.equal((await answer).status, 304)
  })

  test('holds the answer about one domain until that one changes', async () => {
    const { zms, tag } = await world()
    const answer = ask(zms, { tag, query: 'domain=sports' })
    assert.ok(await isPending(answer))
    await zms.createDomain('other')
    mock.timers.tick(500)
    assert.ok(await isPending(answer))
    await change(zms)
    const { status, body } = await answer
    assert.deepEqual([status, names(body)], [200, ['sports']])
  })

  test('answers about one domain with 304 when the time is over', async () => {
    const { zms, tag } = await world()
    const answer = ask(zms, { tag, query: 'domain=sports' })
    assert.ok(await isPending(answer))
    mock.timers.tick(30_000)
    const { status, headers } = await answer
    assert.deepEqual([status, headers], [304, { etag: tag, 'preference-applied': 'wait' }])
  })

  test('answers at once about a domain that does not exist', async () => {
    const { zms, tag } = await world()
    assert.deepEqual((await ask(zms, { tag, query: 'domain=nosuch' })).body, { domains: [] })
  })
})
