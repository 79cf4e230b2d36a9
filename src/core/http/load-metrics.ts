import { performance } from 'node:perf_hooks'
import { Gauge, type Registry } from 'prom-client'
import type { LoadShedder } from './load-shedder.ts'
import type { RequestsInFlight } from './requests-in-flight.ts'

/** What tells how busy a server is. */
export interface MeasuredLoad {
  readonly inFlight: Readonly<RequestsInFlight>
  readonly shedder: Pick<LoadShedder, 'share'>
}

/**
 * Adds to a registry how busy a server is: requests without an answer, the share of the time in which the event loop was
 * not idle since the registry was last read, and the share of requests that is refused. The delay of the event loop is
 * among the metrics of the process.
 */
export function registerLoadMetrics(registry: Registry, { inFlight, shedder }: MeasuredLoad): void {
  const requests: Gauge = new Gauge({
    name: 'athenz_http_requests_in_flight',
    help: 'Requests without an answer: those that have not arrived as a whole, are worked on, or wait for news',
    labelNames: ['phase'],
    registers: [],
    collect: () => {
      for (const [phase, count] of Object.entries(inFlight)) requests.set({ phase }, count)
    },
  })
  let last = performance.eventLoopUtilization()
  const utilization: Gauge = new Gauge({
    name: 'athenz_event_loop_utilization',
    help: 'Share of the time in which the event loop was not idle, since this was last read',
    registers: [],
    aggregator: 'max',
    collect: () => {
      const current = performance.eventLoopUtilization()
      utilization.set(performance.eventLoopUtilization(current, last).utilization)
      last = current
    },
  })
  const share: Gauge = new Gauge({
    name: 'athenz_load_shedding_share',
    help: 'Share of the requests that is refused because the event loop is late, from 0 to 1',
    registers: [],
    aggregator: 'max',
    collect: () => share.set(shedder.share),
  })
  for (const gauge of [requests, utilization, share]) registry.registerMetric(gauge)
}
