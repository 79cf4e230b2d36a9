import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { Principal } from '../authority/principal.ts'
import { remoteAddressOf } from '../authority/remote-address.ts'
import { type Connection, connectionOf } from './connection.ts'
import type { RequestContext } from './endpoint.ts'
import { isRequestId } from './request-id.ts'
import type { RequestPhase, RequestsInFlight } from './requests-in-flight.ts'

const ABANDONED = 499

/** What a server shares among its exchanges. */
export interface ExchangeSource {
  readonly nextRequestId: () => string
  /** Aborted when the server stops. */
  readonly stopping: AbortSignal
  readonly inFlight: RequestsInFlight
}

/** One request with its answer: the context handlers see, and what logs and metrics need of both. */
export class Exchange implements RequestContext {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly connection: Connection
  readonly method: string
  /** On the clock of `performance.now()`. */
  readonly startMillis = performance.now()
  /** Lower-case operation id; empty until the request has found its operation. */
  api = ''
  /** Whether the query is left out of logs. */
  secretQuery = false
  principal: Principal | undefined = undefined
  /** Domain that the request is about, where its target does not say so. */
  concernedDomain: string | undefined = undefined
  /** Status of the answer; 0 until there is one, 499 when it was given up. */
  status = 0
  /** Bytes of the answer's body. */
  bodyBytes = 0
  /** From the arrival of the request's head to its answer. */
  durationMillis = 0
  readonly #source: ExchangeSource
  #phase: RequestPhase = 'arriving'
  #requestId: string | undefined
  #remoteAddress: string | undefined
  #aborter: AbortController | undefined

  constructor(request: IncomingMessage, response: ServerResponse, source: ExchangeSource) {
    this.request = request
    this.response = response
    this.connection = connectionOf(request.socket)
    this.method = request.method ?? ''
    this.#source = source
    this.connection.pending++
    this.connection.latest = this
    source.inFlight.arriving++
  }

  /** Whether there is an answer, or no need for one any more. */
  get answered(): boolean {
    return this.status !== 0
  }

  /** The request is there: from now on the server has work with it. */
  beginWork(): void {
    this.#enter('working')
  }

  mayWait(): void {
    this.#enter('waiting')
  }

  /** Notes the answer; there can be only one. */
  answer(status: number, bodyBytes: number): void {
    this.status = status
    this.bodyBytes = bodyBytes
    this.durationMillis = performance.now() - this.startMillis
    this.#source.inFlight[this.#phase]--
    const { connection } = this
    connection.pending--
    connection.served = true
    // Idle connections should not keep what nobody needs any more.
    if (connection.latest === this && (this.request.complete || !announcesBody(this.request.headers))) {
      connection.latest = undefined
    }
  }

  /** Lets nobody answer any more: the connection was told off, or is gone. */
  abandon(): void {
    if (!this.answered) this.answer(ABANDONED, 0)
  }

  get secure(): boolean {
    return this.connection.secure
  }

  get localPort(): number {
    return this.connection.localPort
  }

  /** The client's X-Request-Id when it is fit for logs, otherwise one of ours. */
  get requestId(): string {
    if (this.#requestId === undefined) {
      const given = this.header('x-request-id')
      this.#requestId = given !== undefined && isRequestId(given) ? given : this.#source.nextRequestId()
    }
    return this.#requestId
  }

  get remoteAddress(): string {
    this.#remoteAddress ??= remoteAddressOf(this.request)
    return this.#remoteAddress
  }

  concerns(domain: string): void {
    this.concernedDomain = domain
  }

  header(name: string): string | undefined {
    const value = this.request.headers[name.toLowerCase()]
    return Array.isArray(value) ? value[0] : value
  }

  /** Made when somebody asks for it: most requests are over before they could be given up. */
  get signal(): AbortSignal {
    this.#aborter ??= this.#abortable()
    return this.#aborter.signal
  }

  #enter(phase: RequestPhase): void {
    if (this.answered) return
    const { inFlight } = this.#source
    inFlight[this.#phase]--
    inFlight[phase]++
    this.#phase = phase
  }

  #abortable(): AbortController {
    const aborter = new AbortController()
    const { stopping } = this.#source
    const abort = () => aborter.abort()
    if (stopping.aborted || this.response.destroyed) abort()
    stopping.addEventListener('abort', abort, { once: true })
    this.response.once('close', () => {
      stopping.removeEventListener('abort', abort)
      if (!this.response.writableFinished) abort()
    })
    return aborter
  }
}

/** Whether the headers of a request say that a body follows. */
export const announcesBody = (headers: IncomingHttpHeaders): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0

const EXCHANGE = Symbol('exchange')

/** Keeps the exchange with its request, for whoever handles it later. */
export const rememberExchange = (exchange: Exchange): void => {
  const request: IncomingMessage & { [EXCHANGE]?: Exchange } = exchange.request
  request[EXCHANGE] = exchange
}

/** The exchange of a request, if it has one already. */
export const exchangeOf = (request: IncomingMessage & { [EXCHANGE]?: Exchange }): Exchange | undefined =>
  request[EXCHANGE]
