import { Gauge, type Registry } from 'prom-client'
import type { Store } from './store/store.ts'

/** Who reads the metrics must not wait for a database that is away. */
const PATIENCE_MILLIS = 2_000

/**
 * Adds to a registry which version of the domains this server answers from: the newest modification stamp of an enabled one. ZTS shows the
 * same of the domains that it has, so that both can be compared. While the store does not answer, what is shown is what
 * was known last.
 */
export function registerDomainMetrics(registry: Registry, store: Pick<Store, 'modifiedDomains'>): void {
  let newest = 0
  let reading: Promise<void> | undefined
  const read = async () => {
    for (const { modified, enabled } of await store.modifiedDomains(newest)) {
      if (enabled) newest = Math.max(newest, modified)
    }
  }
  const gauge: Gauge = new Gauge({
    name: 'athenz_zms_domains_newest_modified_timestamp_seconds',
    help: 'Newest modification time of an enabled domain, in seconds since 1970; 0 before the first answer of the store',
    registers: [],
    aggregator: 'max',
    collect: async () => {
      // A store that hangs is not asked again by everybody who reads the metrics.
      reading ??= read()
        .catch(() => undefined)
        .finally(() => (reading = undefined))
      const { promise: late, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, PATIENCE_MILLIS)
      await Promise.race([reading, late])
      clearTimeout(timer)
      gauge.set(newest / 1000)
    },
  })
  registry.registerMetric(gauge)
}
