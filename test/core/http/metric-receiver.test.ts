import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import type { Exchange } from '#core/http/exchange.ts'
import { openMetricReceiver, type RequestSample, sampling } from '#core/http/metric-receiver.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const open = (className: string, directory = '/', hasOpsPort = true) =>
  openMetricReceiver({ server: 'zts', className, directory, hasOpsPort })

suite('the receiver of metrics', () => {
  test("is none for the original's class that does nothing, and for its exporters, for which the operations port stands", async () => {
    for (const name of [
      'com.yahoo.athenz.common.metrics.impl.NoOpMetricFactory',
      'com.yahoo.athenz.common.metrics.impl.prometheus.PrometheusMetricFactory',
      'com.yahoo.athenz.common.metrics.impl.OpenTelemetryMetricFactory',
      'io.athenz.server.common.metrics.OpenTelemetryMetricsFactory',
    ]) {
      assert.equal(await open(name), undefined, name)
    }
  })

  test('is refused when it stands for an operations port that is off, or is not known', async () => {
    const exporter = 'com.yahoo.athenz.common.metrics.impl.prometheus.PrometheusMetricFactory'
    await assert.rejects(open(exporter, '/', false), /athenz\.zts\.metric_factory_class: .*set athenz\.ts\.ops_port/)
    await assert.rejects(open('com.example.Metrics'), /neither a known class nor a module/)
  })

  test('may be a module that is told of every request', async () => {
    const directory = temporaryFolder()
    writeFileSync(
      join(directory, 'metrics.mjs'),
      'export default ({ server }) => ({ samples: [], server, request(sample) { this.samples.push(sample) } })',
    )
    const receiver = (await open('./metrics.mjs', directory)) as unknown as {
      server: string
      samples: RequestSample[]
      request(sample: RequestSample): void
    }
    assert.equal(receiver.server, 'zts')
    const observe = sampling(receiver, 'zts_api', (error) => assert.fail(String(error)))
    const exchange = {
      api: 'getrole',
      method: 'GET',
      status: 200,
      durationMillis: 1.5,
      request: { url: '/zts/v1/domain/Sports/role/readers?x=/domain/y' },
      principal: { domain: 'user' },
    }
    observe(exchange as unknown as Exchange)
    observe({ ...exchange, api: '', request: { url: '/other' }, principal: undefined } as unknown as Exchange)
    assert.deepEqual(receiver.samples, [
      {
        metric: 'zts_api',
        operation: 'getrole',
        method: 'GET',
        status: 200,
        durationMillis: 1.5,
        requestDomain: 'sports',
        principalDomain: 'user',
      },
      {
        metric: 'zts_api',
        operation: '',
        method: 'GET',
        status: 200,
        durationMillis: 1.5,
        requestDomain: undefined,
        principalDomain: undefined,
      },
    ])
  })

  test('that fails harms no request', () => {
    const failures: unknown[] = []
    const receiver = {
      request() {
        throw new Error('full')
      },
    }
    const exchange = { request: {} } as unknown as Exchange
    sampling(receiver, 'zms_api', (error) => failures.push(error))(exchange)
    assert.equal(String(failures[0]), 'Error: full')
  })
})
