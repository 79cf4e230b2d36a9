import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Logger } from '../log/logger.ts'
import { errorBody, statusText } from './errors.ts'
import { createServer } from './node-http.ts'
import type { OpsReport } from './ops-report.ts'
import { pathOf } from './request-target.ts'

export type { ReadinessCheck } from './ops-report.ts'

/** What the operations port shows. */
export interface OpsServerOptions {
  /** 0: one that is free. */
  readonly port: number
  /** Address to listen on; 127.0.0.1 when absent, because nobody has to authenticate. */
  readonly host?: string
  readonly report: OpsReport
  readonly log: Logger
}

interface OpsAnswer {
  readonly status: number
  readonly type: string
  readonly body: string
}

type OpsPage = () => Promise<OpsAnswer>

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
    const readiness = await this.#options.report.readiness()
    return json(readiness.status === 'ok' ? 200 : 503, readiness)
  }

  async #metrics(): Promise<OpsAnswer> {
    const { report } = this.#options
    return { status: 200, type: report.contentType, body: await report.metrics() }
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
