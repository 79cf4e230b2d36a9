import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { Registry } from 'prom-client'
import { notFound } from '#core/error/service-error.ts'
import { ProcessReport, type ReadinessCheck } from '#core/http/ops-report.ts'
import { OpsServer } from '#core/http/ops-server.ts'
import { processRegistry, RequestMetrics } from '#core/http/request-metrics.ts'
import { silentLogger } from '#core/log/logger.ts'
import { fakeServer } from './support.ts'

/** An operations port with these checks. */
async function open(
  checks: Record<string, ReadinessCheck> = {},
  registry = new Registry(),
  stopping = new AbortController(),
) {
  const options = {
    port: 0,
    report: new ProcessReport({ registry, checks: new Map(Object.entries(checks)), stopping: stopping.signal }),
    log: silentLogger(),
  }
  const server = new OpsServer(options)
  const { port, address }: AddressInfo = await server.listen()
  const ask = (path: string, init: RequestInit = {}) => fetch(`http://127.0.0.1:${port}${path}`, init)
  return { ask, address, stopping, [Symbol.asyncDispose]: () => server.close() }
}

describe('the operations port', () => {
  test('listens on this machine only, unless told otherwise', async () => {
    await using ops = await open()
    assert.equal(ops.address, '127.0.0.1')
  })

  test('says that the process lives', async () => {
    await using ops = await open({ store: () => Promise.reject(new Error('gone')) })
    const answer = await ops.ask('/livez')
    assert.deepEqual([answer.status, await answer.json()], [200, { status: 'ok' }])
  })

  test('says that the server is ready when all checks pass', async () => {
    await using ops = await open({ store: async () => {}, keys: () => {} })
    const answer = await ops.ask('/readyz?verbose')
    assert.deepEqual([answer.status, await answer.json()], [200, { status: 'ok' }])
  })

  test('says which checks do not pass, and why', async () => {
    const keys = () => {
      throw new Error('expired')
    }
    await using ops = await open({ store: async () => {}, keys, zms: () => Promise.reject(new Error('unreachable')) })
    const answer = await ops.ask('/readyz')
    assert.deepEqual(
      [answer.status, await answer.json()],
      [503, { status: 'not ready', reasons: { keys: 'expired', zms: 'unreachable' } }],
    )
  })

  test('says what is not as it should be, ready or not', async () => {
    const domains = () => 'the copy is old'
    await using ready = await open({ store: () => {}, domains })
    const answer = await ready.ask('/readyz')
    assert.deepEqual(
      [answer.status, await answer.json()],
      [200, { status: 'ok', remarks: { domains: 'the copy is old' } }],
    )
    await using unready = await open({ store: () => Promise.reject(new Error('away')), domains })
    assert.deepEqual(await (await unready.ask('/readyz')).json(), {
      status: 'not ready',
      reasons: { store: 'away' },
      remarks: { domains: 'the copy is old' },
    })
  })

  test('is not ready any more once the server stops', async () => {
    await using ops = await open()
    ops.stopping.abort()
    assert.equal((await ops.ask('/readyz')).status, 503)
    assert.equal((await ops.ask('/livez')).status, 200)
  })

  test('answers HEAD, refuses other methods and unknown pages, in JSON', async () => {
    await using ops = await open()
    assert.equal((await ops.ask('/livez', { method: 'HEAD' })).status, 200)
    const refused = await ops.ask('/metrics', { method: 'POST', body: 'x' })
    assert.deepEqual([refused.status, refused.headers.get('allow')], [405, 'GET,HEAD'])
    const unknown = await ops.ask('/debug')
    assert.deepEqual([unknown.status, await unknown.json()], [404, { code: 404, message: 'Not Found' }])
  })

  test('a failing metric is a 500, not the end', async () => {
    const registry = new Registry()
    registry.metrics = () => Promise.reject(new Error('broken'))
    await using ops = await open({}, registry)
    assert.equal((await ops.ask('/metrics')).status, 500)
    assert.equal((await ops.ask('/livez')).status, 200)
  })

  test('shows requests by operation and status, and the process', async () => {
    const registry = processRegistry()
    await using ops = await open({}, registry)
    const handlers = { getDomain: () => Promise.reject(notFound('no')) }
    const server = fakeServer({ observers: [new RequestMetrics(registry).observe], handlers })
    for (const url of ['/api/v1/open', '/api/v1/open', '/made/up', '/made/up/too']) await server.app.inject(url)
    await server.app.inject({ url: '/api/v1/domain/x', headers: { 'x-user': 'a.b' } })
    await server.app.inject({ url: '/api/v1/domain/x' })
    const answer = await ops.ask('/metrics')
    const text = await answer.text()
    assert.match(answer.headers.get('content-type') ?? '', /^text\/plain/)
    const count = (operation: string, status: number) =>
      new RegExp(
        `athenz_http_request_duration_seconds_count\\{operation="${operation}",status="${status}"\\} (\\d+)`,
      ).exec(text)?.[1]
    assert.deepEqual(
      [count('getopen', 200), count('getdomain', 404), count('getdomain', 401), count('none', 404)],
      ['2', '1', '1', '2'],
    )
    assert.match(text, /# TYPE athenz_http_request_duration_seconds histogram/)
    assert.match(text, /_bucket\{le="\+Inf",operation="getopen",status="200"\} 2\n/)
    assert.match(text, /process_cpu_user_seconds_total/)
    assert.match(text, /nodejs_eventloop_lag_p99_seconds/)
    assert.ok(!text.includes('made'), 'what clients make up is no label')
  })

  test('buckets are cumulative', async () => {
    const registry = new Registry()
    const metrics = new RequestMetrics(registry)
    for (const durationMillis of [0.5, 2, 2, 70, 60_000])
      metrics.observe({ api: 'getx', status: 200, durationMillis } as never)
    const text = await registry.metrics()
    const at = (bound: string) =>
      Number(
        new RegExp(
          `le="${bound.replace('.', '\\.').replace('+', '\\+')}",operation="getx",status="200"\\} (\\d+)`,
        ).exec(text)?.[1],
      )
    assert.deepEqual(['0.001', '0.0025', '0.05', '0.1', '10', '+Inf'].map(at), [1, 3, 3, 4, 4, 5])
    assert.match(text, /_sum\{operation="getx",status="200"\} 60\.0745\n/)
  })

  test('tells the outcome of the checks in the metrics, too', async () => {
    const gone = () => Promise.reject(new Error('gone'))
    await using ops = await open({ store: async () => {}, zms: gone, 'audit log': () => 'behind' })
    const text = await (await ops.ask('/metrics')).text()
    const lines = text.split('\n').filter((line) => line.startsWith('athenz_check_ok'))
    assert.deepEqual(lines, [
      'athenz_check_ok{check="store"} 1',
      'athenz_check_ok{check="zms"} 0',
      'athenz_check_ok{check="audit log"} 0.5',
    ])
  })
})
