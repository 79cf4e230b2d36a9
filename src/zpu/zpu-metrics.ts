import { Counter, Gauge, Registry } from 'prom-client'
import type { Clock } from '#core/seam/clock.ts'
import type { PolicyDocument } from '#zpe/policy-document.ts'

/** What is known of the policies of a domain. */
interface DomainState {
  readonly policies: PolicyDocument
  /** When ZTS last said that they are the newest. Epoch milliseconds. */
  readonly confirmedMillis: number
}

/** What monitoring is told of the updater: version and age of the policies of each domain. */
export class ZpuMetrics {
  readonly registry = new Registry()
  readonly #clock: Clock
  readonly #states = new Map<string, DomainState>()
  readonly #updates: Counter<'domain' | 'outcome'>

  constructor(clock: Clock) {
    this.#clock = clock
    this.#updates = new Counter({
      name: 'athenz_zpu_updates_total',
      help: 'Answers of ZTS about a domain by outcome: written, unchanged or failed.',
      labelNames: ['domain', 'outcome'],
      registers: [this.registry],
    })
    this.#gauge(
      'version_timestamp_seconds',
      'Last change of the policies: their version.',
      ({ policies }) => policies.modifiedMillis / 1000,
    )
    this.#gauge(
      'expiry_timestamp_seconds',
      'End of the life of the policies.',
      ({ policies }) => policies.expiresMillis / 1000,
    )
    this.#gauge(
      'confirmed_timestamp_seconds',
      'When ZTS last said that the policies are the newest.',
      ({ confirmedMillis }) => confirmedMillis / 1000,
    )
    this.#gauge(
      'age_seconds',
      'Time since ZTS last said that the policies are the newest.',
      ({ confirmedMillis }) => (clock() - confirmedMillis) / 1000,
    )
  }

  /** The policies of a domain are the newest now. */
  confirmed(domain: string, policies: PolicyDocument, outcome: 'written' | 'unchanged'): void {
    this.#states.set(domain, { policies, confirmedMillis: this.#clock() })
    this.#updates.inc({ domain, outcome })
  }

  failed(domain: string): void {
    this.#updates.inc({ domain, outcome: 'failed' })
  }

  /** Domains for which there has been no good answer yet. */
  missing(domains: readonly string[]): readonly string[] {
    return domains.filter((domain) => !this.#states.has(domain))
  }

  #gauge(name: string, help: string, valueOf: (state: DomainState) => number): void {
    const states = this.#states
    const gauge = new Gauge({
      name: `athenz_zpu_policy_${name}`,
      help,
      labelNames: ['domain'],
      registers: [],
      collect() {
        this.reset()
        for (const [domain, state] of states) this.set({ domain }, valueOf(state))
      },
    })
    this.registry.registerMetric(gauge)
  }
}
