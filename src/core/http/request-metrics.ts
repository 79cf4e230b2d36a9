import { collectDefaultMetrics, type MetricObject, Registry } from 'prom-client'
import type { Exchange } from './exchange.ts'

/** Upper bounds of the buckets in seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const NAME = 'athenz_http_request_duration_seconds'
const HELP = 'Time from the arrival of a request to its answer, by operation and status'

/** Label of requests that found no operation: what clients make up does not become a label. */
const NO_OPERATION = 'none'

/** Requests of one operation and status. */
interface Series {
  readonly labels: Readonly<Record<string, string>>
  /** Requests per bucket, the last one for those slower than all bounds. */
  readonly counts: number[]
  sumSeconds: number
}

/**
 * Durations of requests as a Prometheus histogram. It keeps its own counters: the registry asks for them when it is
 * read, so that a request costs two additions.
 */
export class RequestMetrics {
  readonly #series = new Map<string, Map<number, Series>>()

  /** Adds itself to `registry`. */
  constructor(registry: Registry) {
    const metric = { name: NAME, help: HELP, type: 'histogram', get: () => this.#snapshot() }
    registry.registerMetric(metric as unknown as Parameters<Registry['registerMetric']>[0])
  }

  /** Counts an exchange: an observer of the server. */
  readonly observe = (exchange: Exchange): void => {
    const seconds = exchange.durationMillis / 1000
    const series = this.#seriesOf(exchange)
    let index = 0
    while (index < BUCKETS.length && seconds > (BUCKETS[index] as number)) index++
    series.counts[index] = (series.counts[index] ?? 0) + 1
    series.sumSeconds += seconds
  }

  #seriesOf({ api, status }: Exchange): Series {
    let byStatus = this.#series.get(api)
    if (!byStatus) {
      byStatus = new Map()
      this.#series.set(api, byStatus)
    }
    let series = byStatus.get(status)
    if (!series) {
      const labels = { operation: api === '' ? NO_OPERATION : api, status: String(status) }
      series = { labels, counts: Array.from({ length: BUCKETS.length + 1 }, () => 0), sumSeconds: 0 }
      byStatus.set(status, series)
    }
    return series
  }

  async #snapshot(): Promise<MetricObject & { values: unknown[] }> {
    const all = [...this.#series.values()].flatMap((byStatus) => [...byStatus.values()])
    return { name: NAME, help: HELP, type: 'histogram', aggregator: 'sum', values: all.flatMap(samplesOf) } as never
  }
}

/** Buckets of a histogram are cumulative. */
function samplesOf({ labels, counts, sumSeconds }: Series) {
  let total = 0
  const buckets = counts.map((count, index) => {
    total += count
    return { metricName: `${NAME}_bucket`, labels: { le: BUCKETS[index] ?? '+Inf', ...labels }, value: total }
  })
  return [
    ...buckets,
    { metricName: `${NAME}_sum`, labels, value: sumSeconds },
    { metricName: `${NAME}_count`, labels, value: total },
  ]
}

/** A registry that has the metrics of the process already: CPU, memory, event loop delay, garbage collection. */
export function processRegistry(): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  return registry
}
