import { Counter, Gauge, Registry } from 'prom-client'
import type { Clock } from '#core/seam/clock.ts'
import type { ItemState, Pass } from './agent.ts'

const DAY_MILLIS = 86_400_000

/** What monitoring is told of the agent. */
export class SiaMetrics {
  readonly registry = new Registry()
  readonly #renewals: Counter<'kind' | 'name' | 'outcome'>
  #states: readonly ItemState[] = []

  constructor(clock: Clock) {
    const labelNames = ['kind', 'name'] as const
    const forEach = (gauge: Gauge<'kind' | 'name'>, valueOf: (untilMillis: number) => number) => {
      gauge.reset()
      for (const { item, validity } of this.#states) {
        gauge.set({ kind: item.kind, name: item.name }, validity === undefined ? 0 : valueOf(validity.untilMillis))
      }
    }
    this.#renewals = new Counter({
      name: 'athenz_sia_renewals_total',
      help: 'Renewals of certificates and tokens by outcome.',
      labelNames: [...labelNames, 'outcome'],
      registers: [this.registry],
    })
    const daysLeft = new Gauge({
      name: 'athenz_sia_days_left',
      help: 'Days until the end of a certificate or token; 0 when there is none, less when it has ended.',
      labelNames,
      registers: [],
      collect() {
        forEach(this, (untilMillis) => (untilMillis - clock()) / DAY_MILLIS)
      },
    })
    const expiry = new Gauge({
      name: 'athenz_sia_expiry_timestamp_seconds',
      help: 'End of a certificate or token, in seconds since 1970; 0 when there is none.',
      labelNames,
      registers: [],
      collect() {
        forEach(this, (untilMillis) => untilMillis / 1000)
      },
    })
    for (const gauge of [daysLeft, expiry]) this.registry.registerMetric(gauge)
  }

  /** What the last look at everything has brought. */
  note({ renewed, failed, states }: Pass): void {
    this.#states = states
    for (const { kind, name } of renewed) this.#renewals.inc({ kind, name, outcome: 'renewed' })
    for (const { kind, name } of failed) this.#renewals.inc({ kind, name, outcome: 'failed' })
  }

  /** Why the service has no certificate that is good now; undefined when it has one. */
  problem(nowMillis: number): string | undefined {
    const [service] = this.#states
    if (service?.validity === undefined) return 'there is no certificate of the service'
    return service.validity.untilMillis <= nowMillis ? 'the certificate of the service has ended' : undefined
  }
}
