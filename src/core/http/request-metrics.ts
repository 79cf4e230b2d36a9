import { collectDefaultMetrics, Registry } from 'prom-client'
import { DurationCounts, registerDurations } from '../metrics/duration-counts.ts'
import type { Exchange } from './exchange.ts'

/** Upper bounds of the buckets in seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const NAME = 'athenz_http_request_duration_seconds'
const HELP = 'Time from the arrival of a request to its answer, by operation and status'

/** Label of requests that found no operation: what clients make up does not become a label. */
const NO_OPERATION = 'none'

/** Durations of requests as a Prometheus histogram. A request is counted only; the registry asks when it is read. */
export class RequestMetrics {
  readonly #series = new Map<string, Map<number, DurationCounts>>()

  /** Adds itself to `registry`. */
  constructor(registry: Registry) {
    registerDurations(registry, { name: NAME, help: HELP, series: () => this.#all() })
  }

  /** Counts an exchange: an observer of the server. */
  readonly observe = (exchange: Exchange): void => {
    this.#seriesOf(exchange).add(exchange.durationMillis / 1000)
  }

  #seriesOf({ api, status }: Exchange): DurationCounts {
    let byStatus = this.#series.get(api)
    if (!byStatus) {
      byStatus = new Map()
      this.#series.set(api, byStatus)
    }
    let durations = byStatus.get(status)
    if (!durations) {
      durations = new DurationCounts(BUCKETS)
      byStatus.set(status, durations)
    }
    return durations
  }

  *#all() {
    for (const [api, byStatus] of this.#series) {
      const operation = api === '' ? NO_OPERATION : api
      for (const [status, durations] of byStatus) yield [{ operation, status: String(status) }, durations] as const
    }
  }
}

/** A registry that has the metrics of the process already: CPU, memory, event loop delay, garbage collection. */
export function processRegistry(): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  return registry
}
