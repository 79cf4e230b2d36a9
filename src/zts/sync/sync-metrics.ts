import { Counter, Gauge, type Registry } from 'prom-client'
import type { SyncCounters, SyncHealth } from './sync-status.ts'

/** What metrics are read from. */
export interface MeasuredSync {
  readonly health: SyncHealth
  readonly counters: Readonly<SyncCounters>
  readonly domains: { readonly size: number }
}

/** Adds what is to be watched about the domains to a registry; it is read when the registry is. */
export function registerSyncMetrics(registry: Registry, sync: MeasuredSync): void {
  const gauge = (name: string, help: string, value: () => number) => {
    const metric: Gauge = new Gauge({ name, help, registers: [], collect: () => metric.set(value()) })
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
  gauge('athenz_zts_domains', 'Enabled domains in memory', () => sync.domains.size)
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
  counter('athenz_zts_domain_sync_failures_total', 'Questions to the source without answer', (each) => each.failures)
  counter(
    'athenz_zts_domain_validation_failures_total',
    'Domains whose signature or content was refused',
    (each) => each.validationFailures,
  )
  counter('athenz_zts_domain_updates_total', 'Domains taken over from the source', (each) => each.updates)
  counter('athenz_zts_domain_removals_total', 'Domains removed since they are deleted', (each) => each.removals)
}
