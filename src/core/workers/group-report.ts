import { AggregatorRegistry, Counter, Gauge, Registry } from 'prom-client'
import type { OpsReport, Readiness, Samples } from '../http/ops-report.ts'
import type { WorkerGroup, WorkerState } from './worker-group.ts'

/** What the report of a group is made of. */
export type ReportedGroup = Pick<WorkerGroup, 'ask' | 'restarts' | 'states' | 'stopping'>

/** Metric in which workers count their requests. */
const REQUESTS = 'athenz_http_request_duration_seconds'

/** How a server of several processes is: what its workers say, put together, and how the workers themselves are doing. */
export class GroupReport implements OpsReport {
  readonly #group: ReportedGroup
  /** Of the primary process. */
  readonly #own: Registry

  constructor(group: ReportedGroup, own: Registry) {
    this.#group = group
    this.#own = own
  }

  get contentType(): string {
    return Registry.PROMETHEUS_CONTENT_TYPE
  }

  /** The server is ready when a worker listens and all that listen are ready. */
  async readiness(): Promise<Readiness> {
    const { states, stopping } = this.#group
    if (stopping.aborted) return { status: 'stopping' }
    const answers = await this.#group.ask<Readiness>('report.readiness')
    const reasons = new Map<string, string>()
    const remarks = new Map<string, string>()
    for (const [number, state] of states) if (state !== 'listens') remarks.set(`worker ${number}`, SAYS[state])
    for (const answer of answers.values()) {
      for (const [check, reason] of Object.entries(answer.reasons ?? {})) reasons.set(check, reason)
      for (const [check, remark] of Object.entries(answer.remarks ?? {})) remarks.set(check, remark)
    }
    if (answers.size === 0) reasons.set('workers', 'none of them answers')
    return {
      status: reasons.size === 0 ? 'ok' : 'not ready',
      ...(reasons.size > 0 && { reasons: Object.fromEntries(reasons) }),
      ...(remarks.size > 0 && { remarks: Object.fromEntries(remarks) }),
    }
  }

  async metrics(): Promise<string> {
    const answers = await this.#group.ask<Samples>('report.metrics')
    const all = [...answers.values(), await this.#own.getMetricsAsJSON(), await this.#ofWorkers(answers)]
    return AggregatorRegistry.aggregate(all).metrics()
  }

  /** What is to be known of each worker. */
  #ofWorkers(answers: ReadonlyMap<number, Samples>): Promise<Samples> {
    const registry = new Registry()
    const up = new Gauge({
      name: 'athenz_worker_up',
      help: 'Whether a worker process of the server listens',
      labelNames: ['worker'],
      registers: [registry],
    })
    for (const [number, state] of this.#group.states) up.set({ worker: number }, state === 'listens' ? 1 : 0)
    new Counter({
      name: 'athenz_worker_restarts_total',
      help: 'Worker processes that were started in the place of others that had ended',
      registers: [registry],
    }).inc(this.#group.restarts)
    const requests = new Counter({
      name: 'athenz_worker_requests_total',
      help: 'Requests answered by a worker process since it was started',
      labelNames: ['worker'],
      registers: [registry],
    })
    for (const [number, samples] of answers) requests.inc({ worker: number }, requestsIn(samples))
    return registry.getMetricsAsJSON()
  }
}

const SAYS: Readonly<Record<Exclude<WorkerState, 'listens'>, string>> = {
  starts: 'is being started',
  stops: 'finishes its requests',
  away: 'has ended and is about to be started again',
}

function requestsIn(samples: Samples): number {
  const metric = samples.find(({ name }) => name === REQUESTS)
  const counts: readonly { value: number; metricName?: string }[] = metric?.values ?? []
  return counts.reduce((sum, { value, metricName }) => (metricName === `${REQUESTS}_count` ? sum + value : sum), 0)
}
