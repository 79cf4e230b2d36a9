import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { ok } from '#core/http/endpoint.ts'
import { freePort } from '../../../src/cli/server-port.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { until } from '../../support/until.ts'
import { openContainer } from './open-container.ts'
import { fakeAuthenticator, testPki } from './support.ts'

const JSON_BODY = { code: 503, message: 'Server has too much to do, try again later' }

describe('a container with too much to do', () => {
  test('refuses what is more than may be in work, before credentials and body are read, and recovers', async () => {
    const root = temporaryFolder()
    const [port, opsPort] = [await freePort(), await freePort()]
    const { promise: released, resolve: release } = Promise.withResolvers<void>()
    let authenticated = 0
    await using _opened = await openContainer(
      await testPki(root),
      root,
      { 'athenz.port': port, 'athenz.ts.ops_port': opsPort, 'athenz.ts.shed_requests_in_flight': 2 },
      {
        handlers: {
          getDomain: async ({ params }) => {
            await released
            return ok({ name: params.domainName })
          },
        },
        registration: {
          authenticator: {
            authenticate: (request, mayBeAbsent) => {
              authenticated++
              return fakeAuthenticator.authenticate(request, mayBeAbsent)
            },
          },
        },
      },
    )
    const root1 = `http://127.0.0.1:${port}/api/v1`
    const headers = { 'x-user': 'user.admin', 'content-type': 'application/json' }
    const metrics = async () => (await fetch(`http://127.0.0.1:${opsPort}/metrics`)).text()
    const held = [fetch(`${root1}/domain/a`, { headers }), fetch(`${root1}/domain/b`, { headers })]
    await until(async () => (await metrics()).includes('athenz_http_requests_in_flight{phase="working"} 2'))
    const before = authenticated
    const refused = await fetch(`${root1}/domain/a/thing/b`, { method: 'PUT', headers, body: '{"name":"b"}' })
    assert.equal(refused.status, 503)
    assert.deepEqual(await refused.json(), JSON_BODY)
    assert.equal(refused.headers.get('retry-after'), '1')
    assert.equal(refused.headers.get('content-type'), 'application/json')
    assert.equal(authenticated, before)
    assert.equal((await fetch(`${root1}/status`)).status, 200)
    assert.match(await metrics(), /athenz_load_shed_total\{reason="in-flight"\} 1\n/)
    release()
    assert.deepEqual(
      (await Promise.all(held)).map(({ status }) => status),
      [200, 200],
    )
    const served = await fetch(`${root1}/domain/a/thing/b`, { method: 'PUT', headers, body: '{"name":"b"}' })
    assert.equal(served.status, 204)
    for (const phase of ['arriving', 'working', 'waiting']) {
      assert.ok((await metrics()).includes(`athenz_http_requests_in_flight{phase="${phase}"} 0`), phase)
    }
  })

  test('does not count bodies that do not come, nor requests that were given up', async () => {
    const root = temporaryFolder()
    const [port, opsPort] = [await freePort(), await freePort()]
    await using _opened = await openContainer(await testPki(root), root, {
      'athenz.port': port,
      'athenz.ts.ops_port': opsPort,
      'athenz.ts.shed_requests_in_flight': 2,
    })
    const metrics = async () => (await fetch(`http://127.0.0.1:${opsPort}/metrics`)).text()
    const aborter = new AbortController()
    const headers = { 'x-user': 'user.admin', 'content-type': 'application/json' }
    const stalled = Array.from({ length: 5 }, () =>
      fetch(`http://127.0.0.1:${port}/api/v1/domain/a/thing/b`, {
        method: 'PUT',
        headers,
        body: new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode('{')) }),
        duplex: 'half',
        signal: aborter.signal,
      }).catch(() => 'aborted'),
    )
    await until(async () => (await metrics()).includes('athenz_http_requests_in_flight{phase="arriving"} 5'))
    assert.equal((await fetch(`http://127.0.0.1:${port}/api/v1/open`)).status, 200)
    aborter.abort()
    assert.deepEqual(new Set(await Promise.all(stalled)), new Set(['aborted']))
    await until(async () => (await metrics()).includes('athenz_http_requests_in_flight{phase="arriving"} 0'))
  })

  test('refuses a share of the requests while its event loop is late, and serves all soon after', async () => {
    const root = temporaryFolder()
    const [port, opsPort] = [await freePort(), await freePort()]
    await using _opened = await openContainer(await testPki(root), root, {
      'athenz.port': port,
      'athenz.ts.ops_port': opsPort,
      'athenz.ts.shed_event_loop_delay_millis': 60,
    })
    const open = () => fetch(`http://127.0.0.1:${port}/api/v1/open`)
    let refused: Response | undefined
    const end = performance.now() + 20_000
    const isGoingOn = () => refused === undefined && performance.now() < end
    const late = (async () => {
      while (isGoingOn()) {
        // Longer than the timer's own time and the limit.
        const busyUntil = performance.now() + 200
        while (performance.now() < busyUntil);
        await nextTurn()
      }
    })()
    while (isGoingOn()) {
      const answer = await open()
      if (answer.status === 503) refused = answer
      else await answer.body?.cancel()
    }
    await late
    assert.deepEqual(await refused?.json(), JSON_BODY)
    assert.match(refused?.headers.get('retry-after') ?? '', /^[1-5]$/)
    const share = async () => {
      const text = await (await fetch(`http://127.0.0.1:${opsPort}/metrics`)).text()
      return Number(/^athenz_load_shedding_share (\S+)$/m.exec(text)?.[1])
    }
    assert.ok((await share()) > 0)
    await until(async () => (await share()) === 0, { timeoutMillis: 30_000 })
    assert.equal((await open()).status, 200)
  })
})
