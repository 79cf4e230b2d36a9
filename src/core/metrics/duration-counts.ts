import type { MetricObject, Registry } from 'prom-client'

type Labels = Readonly<Record<string, string>>

/** What Prometheus calls a histogram. */
export interface DurationMetric {
  readonly name: string
  readonly help: string
  /** Durations by their labels; asked when the metrics are read. */
  readonly series: () => Iterable<readonly [labels: Labels, durations: DurationCounts]>
}

/** How many durations were how long: one more costs two additions, and nothing else is done until somebody reads them. */
export class DurationCounts {
  /** Upper bounds of the buckets in seconds, ascending. */
  readonly #bounds: readonly number[]
  /** Durations per bucket, the last one for those longer than all bounds. */
  readonly #counts: number[]
  #sumSeconds = 0

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#counts = Array.from({ length: bounds.length + 1 }, () => 0)
  }

  /** How many there were. */
  get count(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0)
  }

  /** All of them together. */
  get sumSeconds(): number {
    return this.#sumSeconds
  }

  add(seconds: number): void {
    let index = 0
    while (index < this.#bounds.length && seconds > (this.#bounds[index] as number)) index++
    this.#counts[index] = (this.#counts[index] ?? 0) + 1
    this.#sumSeconds += seconds
  }

  /** Values of a histogram, whose buckets are cumulative. */
  samples(name: string, labels: Labels) {
    let total = 0
    const buckets = this.#counts.map((count, index) => {
      total += count
      return { metricName: `${name}_bucket`, labels: { le: this.#bounds[index] ?? '+Inf', ...labels }, value: total }
    })
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: this.#sumSeconds },
      { metricName: `${name}_count`, labels, value: total },
    ]
  }
}

/** Adds durations to a registry; those of several processes are added up. */
export function registerDurations(registry: Registry, { name, help, series }: DurationMetric): void {
  const shape = { name, help, type: 'histogram', aggregator: 'sum' }
  const get = async (): Promise<MetricObject> =>
    ({ ...shape, values: [...series()].flatMap(([labels, counts]) => counts.samples(name, labels)) }) as never
  registry.registerMetric({ ...shape, get } as unknown as Parameters<Registry['registerMetric']>[0])
}
