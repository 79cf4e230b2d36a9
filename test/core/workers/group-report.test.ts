import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Counter, Gauge, Registry } from 'prom-client'
import { ProcessReport, type Readiness } from '#core/http/ops-report.ts'
import { RequestMetrics } from '#core/http/request-metrics.ts'
import { GroupReport, type ReportedGroup } from '#core/workers/group-report.ts'
import type { WorkerState } from '#core/workers/worker-group.ts'

/** A group whose workers answer like this; one without answer is not asked. */
function groupOf(workers: readonly { state?: WorkerState; answer?: Record<string, unknown> }[]) {
  const stopping = new AbortController()
  const group: ReportedGroup = {
    restarts: 3,
    stopping: stopping.signal,
    states: new Map(workers.map(({ state = 'listens' }, index) => [index + 1, state])),
    ask: async <T>(method: string) =>
      new Map(workers.flatMap(({ answer }, index) => (answer ? [[index + 1, answer[method] as T] as const] : []))),
  }
  return { group, stopping, report: new GroupReport(group, new Registry()) }
}

const ready = (readiness: Readiness) => ({ answer: { 'report.readiness': readiness } })

describe('the readiness of a server with workers', () => {
  test('is given when all that listen are ready, with the remarks of all', async () => {
    const { report } = groupOf([
      ready({ status: 'ok' }),
      ready({ status: 'ok', remarks: { store: 'slow' } }),
      { state: 'away' },
    ])
    assert.deepEqual(await report.readiness(), {
      status: 'ok',
      remarks: { store: 'slow', 'worker 3': 'has ended and is about to be started again' },
    })
  })

  test('is not given when one of them is not ready', async () => {
    const { report } = groupOf([ready({ status: 'ok' }), ready({ status: 'not ready', reasons: { store: 'gone' } })])
    assert.deepEqual(await report.readiness(), { status: 'not ready', reasons: { store: 'gone' } })
  })

  test('is not given when nobody answers', async () => {
    const { report } = groupOf([{ state: 'starts' }, { state: 'listens' }])
    assert.deepEqual(await report.readiness(), {
      status: 'not ready',
      reasons: { workers: 'none of them answers' },
      remarks: { 'worker 1': 'is being started' },
    })
  })

  test('ends when the server is asked to stop', async () => {
    const { report, stopping } = groupOf([ready({ status: 'ok' })])
    stopping.abort()
    assert.deepEqual(await report.readiness(), { status: 'stopping' })
  })
})

describe('the metrics of a server with workers', () => {
  /** Samples of a worker that has answered so many requests. */
  async function samplesOf(requests: number, daysLeft: number) {
    const registry = new Registry()
    const metrics = new RequestMetrics(registry)
    for (let count = 0; count < requests; count++) {
      metrics.observe({ api: 'getrole', status: 200, durationMillis: 3 } as never)
    }
    new Counter({ name: 'events_total', help: 'h', registers: [registry] }).inc(requests)
    new Gauge({ name: 'days_left', help: 'h', registers: [registry], aggregator: 'min' }).set(daysLeft)
    const checks = new Map([['store', () => (daysLeft < 5 ? 'nearly over' : undefined)]])
    const stopping = new AbortController().signal
    const samples = await new ProcessReport({ registry, checks, stopping }).samples()
    return { answer: { 'report.metrics': structuredClone(samples) } }
  }

  test('are those of all workers together, and those of each', async () => {
    const { report } = groupOf([await samplesOf(2, 9), await samplesOf(5, 4), { state: 'starts' }])
    const lines = (await report.metrics()).split('\n')
    for (const line of [
      'athenz_http_request_duration_seconds_bucket{le="0.005",operation="getrole",status="200"} 7',
      'athenz_http_request_duration_seconds_count{operation="getrole",status="200"} 7',
      'events_total 7',
      'days_left 4',
      'athenz_check_ok{check="store"} 0.5',
      'athenz_worker_up{worker="2"} 1',
      'athenz_worker_up{worker="3"} 0',
      'athenz_worker_restarts_total 3',
      'athenz_worker_requests_total{worker="1"} 2',
      'athenz_worker_requests_total{worker="2"} 5',
    ]) {
      assert.ok(lines.includes(line), `${line} is not in\n${lines.join('\n')}`)
    }
  })
})
