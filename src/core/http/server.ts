import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import fastify, { type FastifyInstance } from 'fastify'
import { badRequest, notFound, ServiceError } from '../error/service-error.ts'
import type { Logger } from '../log/logger.ts'
import { type HeaderValues, statusText } from './errors.ts'
import { announcesBody, Exchange, type ExchangeSource, exchangeOf, rememberExchange } from './exchange.ts'
import { DEFAULT_HTTP_LIMITS, type HttpLimits } from './limits.ts'
import { Listener, type PortOptions } from './listener.ts'
import type { PlainRoutes } from './plain-routes.ts'
import { type ExchangeObserver, ReplyWriter } from './reply-writer.ts'
import { requestIds } from './request-id.ts'
import { pathOf } from './request-target.ts'
import { noRequestsInFlight, type RequestsInFlight } from './requests-in-flight.ts'
import { methodNotAllowed, routedMethod } from './routed-methods.ts'

/** Looks at a request before any operation does; true when it answers, now or later, and nobody else may. */
export type RequestFilter = (exchange: Exchange, writer: ReplyWriter) => boolean

/** Serves a request that has no body; gets the values of the path's placeholders. */
export type BodilessHandler = (exchange: Exchange, params: Readonly<Record<string, string>>) => void

/** What a server is made of. */
export interface HttpServerOptions {
  readonly ports: readonly PortOptions[]
  readonly log: Logger
  readonly limits?: Partial<HttpLimits>
  /** Headers of every answer; HTTP Strict Transport Security for a year when absent. */
  readonly responseHeaders?: HeaderValues
  /** Whether a connection of an address is taken, asked before its TLS handshake; all are when absent. */
  readonly admitsConnection?: (address: string | undefined, port: PortOptions) => boolean
  /** Where its requests are counted. */
  readonly inFlight?: RequestsInFlight
  /** Asked in this order before any operation. */
  readonly filters?: readonly RequestFilter[]
  /** Told of every exchange with its answer: access log, metrics. */
  readonly observers?: readonly ExchangeObserver[]
  /** Exchanges that take longer are logged; none when absent. */
  readonly slowRequestMillis?: number
  /** JSON answers of at least this size are compressed for clients that take gzip; none when absent. */
  readonly gzipMinBytes?: number
  /** False: no Date header. */
  readonly sendDate?: boolean
  /** False: a connection serves one request. */
  readonly keepAlive?: boolean
  /** How long {@link HttpServer.close} waits for requests in flight. */
  readonly shutdownTimeoutMillis?: number
}

const HSTS: HeaderValues = { 'strict-transport-security': 'max-age=31536000; includeSubDomains' }
const DEFAULT_SHUTDOWN_TIMEOUT_MILLIS = 30_000

/**
 * An HTTP server on any number of ports. Operations are added with `registerEndpoints`, then {@link listen} opens the
 * ports. Every answer of it is JSON, whatever went wrong and wherever.
 */
export class HttpServer {
  /** For plug-ins and tests (`inject`). The ports belong to this server: do not let Fastify listen. */
  readonly app: FastifyInstance
  readonly writer: ReplyWriter
  readonly #options: HttpServerOptions
  readonly #limits: HttpLimits
  readonly #stopping = new AbortController()
  readonly #source: ExchangeSource
  readonly #listeners: Listener[]
  readonly #bodiless: PlainRoutes<BodilessHandler>[] = []

  /** Throws Error or TypeError when TLS settings or response headers are not usable. */
  constructor(options: HttpServerOptions) {
    const { log, responseHeaders = HSTS, ...writing } = options
    this.#options = options
    this.#limits = { ...DEFAULT_HTTP_LIMITS, ...options.limits }
    this.#source = {
      nextRequestId: requestIds(),
      stopping: this.#stopping.signal,
      inFlight: options.inFlight ?? noRequestsInFlight(),
    }
    const { idleTimeoutMillis } = this.#limits
    this.writer = new ReplyWriter({ ...writing, log, headers: responseHeaders, idleTimeoutMillis })
    this.app = this.#router()
    const { headerLines } = this.writer
    const onRequest = this.#onRequest.bind(this)
    this.#listeners = options.ports.map(
      (port) =>
        new Listener(port, { limits: this.#limits, log, headerLines, onRequest, admits: options.admitsConnection }),
    )
  }

  /** The exchange of a request that a route has got. */
  exchange(request: IncomingMessage, response: ServerResponse): Exchange {
    const known = exchangeOf(request)
    if (known) return known
    const exchange = new Exchange(request, response, this.#source)
    rememberExchange(exchange)
    return exchange
  }

  /** Serves requests without a body at these paths without the router, which gets all others. */
  serveBodiless(routes: PlainRoutes<BodilessHandler>): void {
    this.#bodiless.push(routes)
  }

  /** Aborted as soon as the server begins to stop. */
  get stopping(): AbortSignal {
    return this.#stopping.signal
  }

  /** Opens all ports; gives their addresses in the order of the options. Rejects when one cannot be opened. */
  async listen(): Promise<AddressInfo[]> {
    await this.app.ready()
    const results = await Promise.allSettled(this.#listeners.map((listener) => listener.listen()))
    const failed = results.find((result) => result.status === 'rejected')
    if (!failed) return results.map((result) => (result as PromiseFulfilledResult<AddressInfo>).value)
    await this.close()
    throw failed.reason
  }

  /**
   * Stops gracefully: takes no more connections, tells waiting requests to come to an end, answers those in flight and
   * ends their connections; what is not done after the time limit is cut.
   */
  async close(): Promise<void> {
    this.#stopping.abort()
    const cut = setTimeout(() => {
      this.#options.log.warn('requests are cut off: the time for a graceful stop is over')
      for (const listener of this.#listeners) listener.destroyConnections()
    }, this.#options.shutdownTimeoutMillis ?? DEFAULT_SHUTDOWN_TIMEOUT_MILLIS)
    await Promise.all(this.#listeners.map((listener) => listener.close()))
    clearTimeout(cut)
    await this.app.close()
  }

  #router(): FastifyInstance {
    const { headerBytes, bodyBytes } = this.#limits
    const app = fastify({
      logger: false,
      bodyLimit: bodyBytes,
      exposeHeadRoutes: false,
      genReqId: () => '',
      // Types are declared with endpoint(); without these, schema compilers nobody uses are loaded at every start.
      schemaController: { compilersFactory: { buildValidator: refuseSchemas, buildSerializer: refuseSchemas } },
      // The length of a name is bounded by that of the header, and by its type.
      routerOptions: { ignoreTrailingSlash: true, maxParamLength: headerBytes },
      frameworkErrors: (_error, request, reply) => {
        reply.hijack()
        this.writer.sendError(this.exchange(request.raw, reply.raw), badRequest(statusText(400)))
      },
    })
    // Bodies reach the operations as they came, whatever they call themselves.
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
    // A request that was known to have no body has no more events to wait for.
    app.addHook('preParsing', (request, _reply, payload, done) =>
      done(null, request.raw.readableEnded ? Readable.from([]) : payload),
    )
    app.setErrorHandler((error, request, reply) => {
      reply.hijack()
      const exchange = this.exchange(request.raw, reply.raw)
      // A client that breaks off in the middle of a body is no failure of the server, and hears no answer.
      if (request.raw.destroyed && !request.raw.readableEnded && !request.raw.complete) exchange.abandon()
      else this.writer.sendError(exchange, error)
    })
    app.setNotFoundHandler((request, reply) => {
      reply.hijack()
      const exchange = this.exchange(request.raw, reply.raw)
      this.writer.sendError(exchange, exchange.method === 'TRACE' ? methodNotAllowed() : notFound(statusText(404)))
    })
    return app
  }

  #onRequest(request: IncomingMessage, response: ServerResponse, port: PortOptions): void {
    const exchange = new Exchange(request, response, this.#source)
    if (exchange.connection.ended) {
      // Its client was told to send it again elsewhere (RFC 9112, 9.6).
      exchange.abandon()
      return
    }
    const refusal = this.#refusal(exchange, port)
    if (refusal) {
      this.writer.sendError(exchange, refusal)
      return
    }
    if (this.#options.filters?.some((filter) => filter(exchange, this.writer))) return
    if (this.#serveBodiless(exchange)) return
    rememberExchange(exchange)
    request.method = routedMethod(exchange.method)
    this.app.routing(request, response)
  }

  #serveBodiless(exchange: Exchange): boolean {
    const { request, method } = exchange
    if (announcesBody(request.headers)) return false
    for (const routes of this.#bodiless) {
      const found = routes.find(method, request.url ?? '')
      if (!found) continue
      found.value(exchange, found.params)
      return true
    }
    return false
  }

  /** What is wrong with a request wherever it goes. */
  #refusal({ request, method }: Exchange, { serves, tls }: PortOptions): ServiceError | undefined {
    const { rawHeaders, headers, httpVersionMinor, socket, url = '' } = request
    if (rawHeaders.length > 2 * this.#limits.headerCount) return new ServiceError('headers-too-large', statusText(431))
    if (headers.host === undefined && httpVersionMinor > 0) return badRequest('Missing Host header')
    if (hasManyHosts(rawHeaders)) return badRequest('Duplicate Host header')
    if (tls?.sniRequired || tls?.sniHostCheck) {
      const { servername } = socket as TLSSocket
      if (!servername && tls.sniRequired) return badRequest('Invalid SNI')
      if (servername && tls.sniHostCheck && !isHost(headers.host, servername)) return badRequest('Invalid SNI')
    }
    if (serves && !serves(method, pathOf(url))) return notFound('Endpoint not available on this port')
    return undefined
  }
}

const refuseSchemas = (): never => {
  throw new Error('routes of this server have no Fastify schemas: declare operations with endpoint()')
}

/** Whether there is more than one Host header: of two, a proxy may have believed the other (RFC 9112, 3.2). */
function hasManyHosts(rawHeaders: readonly string[]): boolean {
  let count = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string
    if (name.length === 4 && name.toLowerCase() === 'host') count++
  }
  return count > 1
}

/** Whether a Host header, with or without port, names this host. */
function isHost(header: string | undefined, name: string): boolean {
  if (header === undefined) return true
  const end = portStart(header)
  return (end === header.length ? header : header.slice(0, end)).toLowerCase() === name.toLowerCase()
}

/** Where `:` and digits at the end of a Host header begin; its end without them. */
function portStart(header: string): number {
  let at = header.length
  while (at > 0 && isDigit(header.charCodeAt(at - 1))) at--
  return header.charCodeAt(at - 1) === 0x3a ? at - 1 : header.length
}

const isDigit = (unit: number): boolean => unit >= 0x30 && unit <= 0x39
