import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Gauge, type Registry } from 'prom-client'
import { messageOf } from '../error/message-of.ts'
import type { Logger } from '../log/logger.ts'
import { errorBody, statusText } from './errors.ts'
import { pathOf } from './request-target.ts'

/**
 * One thing a server needs to do its work; throws or rejects with the reason when it is not there. A text says what is not
 * as it should be although the server can go on with it.
 */
export type ReadinessCheck = () => Promise<string | void> | string | void

/** What the operations port shows. */
export interface OpsServerOptions {
  /** 0: one that is free. */
  readonly port: number
  /** Address to listen on; 127.0.0.1 when absent, because nobody has to authenticate. */
  readonly host?: string
  readonly registry: Registry
  /** What must be well for `/readyz`, by name. */
  readonly checks: ReadonlyMap<string, ReadinessCheck>
  /** Once aborted the server is alive but not ready. */
  readonly stopping: AbortSignal
  readonly log: Logger
}

interface OpsAnswer {
  readonly status: number
  readonly type: string
  readonly body: string
}

type OpsPage = () => Promise<OpsAnswer>

const CHECK_TIMEOUT_MILLIS = 5000
const MAX_HEADER_BYTES = 8192

/**
 * A plain HTTP server for orchestration and monitoring, on a port of its own: `/livez` (the process runs), `/readyz` (it
 * can do its work, with the reasons if not) and `/metrics` (Prometheus).
 */
export class OpsServer {
  readonly #options: OpsServerOptions
  readonly #server: Server

  constructor(options: OpsServerOptions) {
    this.#options = options
    this.#registerChecks()
    const pages: ReadonlyMap<string, OpsPage> = new Map([
      ['/livez', async () => json(200, { status: 'ok' })],
      ['/readyz', () => this.#readiness()],
      ['/metrics', () => this.#metrics()],
    ])
    this.#server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, (request, response) => {
      request.resume()
      void this.#answer(pages.get(pathOf(request.url ?? '')), request, response)
    })
  }

  /** Opens the port; gives its address. */
  listen(): Promise<AddressInfo> {
    const { port, host = '127.0.0.1' } = this.#options
    const { promise, resolve, reject } = Promise.withResolvers<AddressInfo>()
    this.#server.once('error', reject)
    this.#server.listen({ port, host }, () => {
      this.#server.off('error', reject)
      resolve(this.#server.address() as AddressInfo)
    })
    return promise
  }

  /** Closes the port and its connections. */
  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#server.close(() => resolve())
    this.#server.closeAllConnections()
    await promise
  }

  async #answer(page: OpsPage | undefined, { method }: IncomingMessage, response: ServerResponse): Promise<void> {
    const allowed = method === 'GET' || method === 'HEAD'
    const { status, type, body } = !page
      ? failure(404)
      : !allowed
        ? failure(405)
        : await page().catch((error: unknown) => {
            this.#options.log.error({ err: error }, 'operations page failed')
            return failure(500)
          })
    const headers = { 'content-type': type, 'content-length': Buffer.byteLength(body), 'cache-control': 'no-store' }
    response.writeHead(status, status === 405 ? { ...headers, allow: 'GET,HEAD' } : headers)
    response.end(body)
  }

  async #readiness(): Promise<OpsAnswer> {
    if (this.#options.stopping.aborted) return json(503, { status: 'stopping' })
    const checks = [...this.#options.checks]
    const outcomes = await Promise.all(checks.map(async ([name, check]) => ({ name, ...(await outcomeOf(check)) })))
    const reasons = outcomes.flatMap(({ name, reason }) => (reason === undefined ? [] : [[name, reason]]))
    const remarks = outcomes.flatMap(({ name, remark }) => (remark === undefined ? [] : [[name, remark]]))
    const further = remarks.length > 0 && { remarks: Object.fromEntries(remarks) }
    return reasons.length === 0
      ? json(200, { status: 'ok', ...further })
      : json(503, { status: 'not ready', reasons: Object.fromEntries(reasons), ...further })
  }

  /** What `/readyz` says, for those who read metrics only. */
  #registerChecks(): void {
    const { registry, checks } = this.#options
    const gauge = new Gauge({
      name: 'athenz_check_ok',
      help: 'Whether what the server needs to do its work is there, by check; 0.5 when it can go on without',
      labelNames: ['check'],
      registers: [],
      collect: async () => {
        const outcomes = [...checks].map(async ([name, check]) => ({ name, ...(await outcomeOf(check)) }))
        for (const { name, reason, remark } of await Promise.all(outcomes)) {
          gauge.set({ check: name }, reason !== undefined ? 0 : remark !== undefined ? 0.5 : 1)
        }
      },
    })
    registry.registerMetric(gauge)
  }

  async #metrics(): Promise<OpsAnswer> {
    const { registry } = this.#options
    return { status: 200, type: registry.contentType, body: await registry.metrics() }
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

const json = (status: number, value: unknown): OpsAnswer => ({
  status,
  type: 'application/json',
  body: JSON.stringify(value),
})
const failure = (status: number): OpsAnswer => ({
  status,
  type: 'application/json',
  body: errorBody(status, statusText(status)),
})
