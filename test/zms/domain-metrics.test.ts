import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Registry } from 'prom-client'
import { registerDomainMetrics } from '#zms/domain-metrics.ts'
import type { Store } from '#zms/store/store.ts'

const NAME = 'athenz_zms_domains_newest_modified_timestamp_seconds'

type Listed = Awaited<ReturnType<Store['modifiedDomains']>>

/** The metric over a store that answers so. */
function metricOf(modifiedDomains: (since: number) => Promise<Listed>) {
  const registry = new Registry()
  registerDomainMetrics(registry, { modifiedDomains })
  return async () => (await registry.getSingleMetric(NAME)?.get())?.values[0]?.value
}

const domain = (modified: number, enabled = true) => ({ name: `d${modified}`, modified, enabled })

test('the newest stamp of an enabled domain is shown, and only what is newer is asked for', async () => {
  const all = [domain(1000), domain(5000), domain(9000, false)]
  const asked: number[] = []
  const value = metricOf(async (since) => {
    asked.push(since)
    return all.filter(({ modified }) => modified >= since)
  })
  assert.equal(await value(), 5)
  all.push(domain(7000))
  assert.equal(await value(), 7)
  assert.equal(await value(), 7)
  assert.deepEqual(asked, [0, 5000, 7000])
})

test('a store that is away leaves what was known, and a store that does not answer is asked once', async (context) => {
  let answer: (() => Promise<Listed>) | undefined = async () => [domain(3000)]
  let questions = 0
  const value = metricOf(() => {
    questions++
    return answer ? answer() : new Promise(() => {})
  })
  assert.equal(await value(), 3)
  answer = () => Promise.reject(new Error('away'))
  assert.equal(await value(), 3)
  answer = undefined
  context.mock.timers.enable({ apis: ['setTimeout'] })
  const late = [value(), value()]
  context.mock.timers.tick(2000)
  assert.deepEqual(await Promise.all(late), [3, 3])
  assert.equal(questions, 3)
})
