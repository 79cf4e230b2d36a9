import { Gauge, type MetricObjectWithValues, type MetricValue, type Registry } from 'prom-client'
import { messageOf } from '../error/message-of.ts'

/**
 * One thing a server needs to do its work; throws or rejects with the reason when it is not there. A text says what is not
 * as it should be although the server can go on with it.
 */
export type ReadinessCheck = () => Promise<string | void> | string | void

/** Whether a server can do its work. */
export interface Readiness {
  readonly status: 'ok' | 'not ready' | 'stopping'
  /** Why not, by check. */
  readonly reasons?: Readonly<Record<string, string>>
  /** What is not as it should be although the server can go on with it, by check. */
  readonly remarks?: Readonly<Record<string, string>>
}

/** How a server is, as its operations port shows it. */
export interface OpsReport {
  /** Media type of the text of the metrics. */
  readonly contentType: string
  readiness(): Promise<Readiness>
  /** Text for Prometheus. */
  metrics(): Promise<string>
}

/** The metrics of one process, to be added to those of others. */
export type Samples = MetricObjectWithValues<MetricValue<string>>[]

/** What the report of a process is made of. */
export interface ProcessReportOptions {
  readonly registry: Registry
  /** What must be well for the server to be ready, by name. */
  readonly checks: ReadonlyMap<string, ReadinessCheck>
  /** Once aborted the server is alive but not ready. */
  readonly stopping: AbortSignal
}

const CHECK_TIMEOUT_MILLIS = 5000

/** How this process is: its checks and its metrics. */
export class ProcessReport implements OpsReport {
  readonly #options: ProcessReportOptions

  /** Adds what the checks say to the registry, for those who read metrics only. */
  constructor(options: ProcessReportOptions) {
    this.#options = options
    this.#registerChecks()
  }

  get contentType(): string {
    return this.#options.registry.contentType
  }

  async readiness(): Promise<Readiness> {
    if (this.#options.stopping.aborted) return { status: 'stopping' }
    const outcomes = await this.#outcomes()
    const reasons = outcomes.flatMap(({ name, reason }) => (reason === undefined ? [] : [[name, reason] as const]))
    const remarks = outcomes.flatMap(({ name, remark }) => (remark === undefined ? [] : [[name, remark] as const]))
    return {
      status: reasons.length === 0 ? 'ok' : 'not ready',
      ...(reasons.length > 0 && { reasons: Object.fromEntries(reasons) }),
      ...(remarks.length > 0 && { remarks: Object.fromEntries(remarks) }),
    }
  }

  metrics(): Promise<string> {
    return this.#options.registry.metrics()
  }

  /** What `metrics` says, as values. */
  samples(): Promise<Samples> {
    return this.#options.registry.getMetricsAsJSON()
  }

  #registerChecks(): void {
    const gauge = new Gauge({
      name: 'athenz_check_ok',
      help: 'Whether what the server needs to do its work is there, by check; 0.5 when it can go on without',
      labelNames: ['check'],
      registers: [],
      aggregator: 'min',
      collect: async () => {
        for (const { name, reason, remark } of await this.#outcomes()) {
          gauge.set({ check: name }, reason !== undefined ? 0 : remark !== undefined ? 0.5 : 1)
        }
      },
    })
    this.#options.registry.registerMetric(gauge)
  }

  #outcomes(): Promise<(CheckOutcome & { readonly name: string })[]> {
    const asked = [...this.#options.checks].map(async ([name, check]) => ({ name, ...(await outcomeOf(check)) }))
    return Promise.all(asked)
  }
}

interface CheckOutcome {
  /** Why the server cannot do its work. */
  readonly reason?: string
  readonly remark?: string
}

async function outcomeOf(check: ReadinessCheck): Promise<CheckOutcome> {
  const { promise: timeout, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error('no answer')), CHECK_TIMEOUT_MILLIS)
  try {
    const remark = await Promise.race([check(), timeout])
    return typeof remark === 'string' ? { remark } : {}
  } catch (error) {
    return { reason: messageOf(error) }
  } finally {
    clearTimeout(timer)
  }
}
