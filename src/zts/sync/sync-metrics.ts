import { type Aggregator, Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { SyncCounters, SyncHealth } from './sync-status.ts'

/** What metrics are read from. */
export interface MeasuredSync {
  readonly health: SyncHealth
  readonly counters: Readonly<SyncCounters>
  readonly domains: { readonly size: number }
  /** Epoch milliseconds. */
  readonly newestModified: number
  onPropagation: (millis: number) => void
}

/** In seconds: ZMS tells of changes at once, one of the original is asked once a minute. */
const PROPAGATION_BUCKETS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3600]

/** Adds what is to be watched about the domains to a registry; it is read when the registry is. */
export function registerSyncMetrics(registry: Registry, sync: MeasuredSync): void {
  /** Of several processes, the one that is worst off is shown. */
  const gauge = (name: string, help: string, value: () => number, aggregator: Aggregator = 'max') => {
    const metric: Gauge = new Gauge({ name, help, registers: [], aggregator, collect: () => metric.set(value()) })
    registry.registerMetric(metric)
  }
  const counter = (name: string, help: string, value: (counters: Readonly<SyncCounters>) => number) => {
    const metric: Counter = new Counter({ name, help, registers: [], collect: () => show(value(sync.counters)) })
    const show = (current: number) => {
      metric.reset()
      metric.inc(current)
    }
    registry.registerMetric(metric)
  }
  gauge('athenz_zts_domains', 'Enabled domains in memory', () => sync.domains.size, 'min')
  gauge(
    'athenz_zts_domain_sync_age_seconds',
    'Time since the source of the domains last answered; 0 before the first answer',
    () => (sync.health.ageMillis ?? 0) / 1000,
  )
  gauge('athenz_zts_domain_sync_stale', 'Whether the source of the domains has not answered for too long', () =>
    sync.health.state === 'stale' ? 1 : 0,
  )
  gauge(
    'athenz_zts_domains_failing',
    'Domains whose new version could not be taken over',
    () => sync.health.failingDomains,
  )
  gauge(
    'athenz_zts_domains_newest_modified_timestamp_seconds',
    'Newest modification time of a domain in memory, as ZMS has stamped it, in seconds since 1970',
    () => sync.newestModified / 1000,
    'min',
  )
  const propagation = new Histogram({
    name: 'athenz_zts_domain_propagation_seconds',
    help: 'Time from the change of a domain in ZMS until it counts here, by the clocks of both',
    buckets: PROPAGATION_BUCKETS,
    registers: [registry],
  })
  sync.onPropagation = (millis) => propagation.observe(millis / 1000)
  counter('athenz_zts_domain_sync_failures_total', 'Questions to the source without answer', (each) => each.failures)
  counter(
    'athenz_zts_domain_validation_failures_total',
    'Domains whose signature or content was refused',
    (each) => each.validationFailures,
  )
  counter('athenz_zts_domain_updates_total', 'Domains taken over from the source', (each) => each.updates)
  counter('athenz_zts_domain_removals_total', 'Domains removed since they are deleted', (each) => each.removals)
}
