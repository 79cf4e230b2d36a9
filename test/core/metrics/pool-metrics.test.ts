import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Registry } from 'prom-client'
import { registerPoolMetrics } from '#core/metrics/pool-metrics.ts'

test('the metrics of database connections are those of the moment at which they are read', async () => {
  const registry = new Registry()
  let pools = [['primary', { busy: 2, idle: 3, waiting: 1 }] as const]
  registerPoolMetrics(registry, () => pools)
  const lines = async () => (await registry.metrics()).split('\n').filter((line) => line.startsWith('athenz'))
  assert.deepEqual(await lines(), [
    'athenz_database_connections{database="primary",state="busy"} 2',
    'athenz_database_connections{database="primary",state="idle"} 3',
    'athenz_database_waiting{database="primary"} 1',
  ])
  pools = []
  assert.deepEqual(await lines(), [])
})
