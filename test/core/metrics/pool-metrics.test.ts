import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Registry } from 'prom-client'
import { DurationCounts } from '#core/metrics/duration-counts.ts'
import { type Pools, registerPoolMetrics } from '#core/metrics/pool-metrics.ts'

const linesOf = async (registry: Registry) =>
  (await registry.metrics()).split('\n').filter((line) => line.startsWith('athenz'))

test('the metrics of database connections are those of the moment at which they are read', async () => {
  const registry = new Registry()
  let pools: Pools = [['primary', { busy: 2, idle: 3, waiting: 1, waits: new DurationCounts([]) }]]
  registerPoolMetrics(registry, () => pools)
  const lines = await linesOf(registry)
  assert.deepEqual(
    lines.filter((line) => !line.includes('_wait_')),
    [
      'athenz_database_connections{database="primary",state="busy"} 2',
      'athenz_database_connections{database="primary",state="idle"} 3',
      'athenz_database_waiting{database="primary"} 1',
    ],
  )
  pools = []
  assert.deepEqual(await linesOf(registry), [])
})

test('the times that callers have waited for a connection are a histogram', async () => {
  const registry = new Registry()
  const waits = new DurationCounts([0.5, 2])
  registerPoolMetrics(registry, () => [['primary', { busy: 0, idle: 0, waiting: 0, waits }]])
  for (const seconds of [0, 0.5, 0.75, 3]) waits.add(seconds)
  const lines = await linesOf(registry)
  assert.deepEqual(
    lines.filter((line) => line.includes('_wait_')),
    [
      'athenz_database_wait_seconds_bucket{le="0.5",database="primary"} 2',
      'athenz_database_wait_seconds_bucket{le="2",database="primary"} 3',
      'athenz_database_wait_seconds_bucket{le="+Inf",database="primary"} 4',
      'athenz_database_wait_seconds_sum{database="primary"} 4.25',
      'athenz_database_wait_seconds_count{database="primary"} 4',
    ],
  )
})
