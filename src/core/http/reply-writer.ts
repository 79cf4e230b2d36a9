import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { messageOf } from '../error/message-of.ts'
import type { Logger } from '../log/logger.ts'
import { acceptsGzip } from './content-coding.ts'
import { errorBody, type HeaderValues, publicError } from './errors.ts'
import type { Exchange } from './exchange.ts'
import { validateHeaderName, validateHeaderValue } from './node-http.ts'
import { pathOf } from './request-target.ts'

/** Told of every exchange once its answer is handed over to the connection. */
export type ExchangeObserver = (exchange: Exchange) => void

/** What all answers of a server have in common. */
export interface ReplyWriterOptions {
  /** Headers of every answer. */
  readonly headers: HeaderValues
  readonly log: Logger
  readonly observers?: readonly ExchangeObserver[]
  /** Exchanges that take longer are logged; none when absent. */
  readonly slowRequestMillis?: number
  /** JSON answers of at least this size are compressed for clients that take gzip; none when absent. */
  readonly gzipMinBytes?: number
  /** False: no Date header. */
  readonly sendDate?: boolean
  /** False: every answer ends its connection. */
  readonly keepAlive?: boolean
  /** After which time without a request connections are closed: clients are told to let them go a second before. */
  readonly idleTimeoutMillis?: number
}

const compress = promisify(gzip)
const JSON_TYPE = ['content-type', 'application/json'] as const
/** For JSON answers below this size, most of them, the headers are kept. */
const FREQUENT_SIZE = 256

/**
 * Writes answers: the one place from which status, headers and body reach a client, and where its log lines begin.
 * An exchange is answered once; a second attempt is ignored.
 */
export class ReplyWriter {
  readonly #headers: readonly string[]
  readonly #jsonHeaders: readonly string[]
  /** What is said of a connection that stays open. */
  readonly #keepAliveHeaders: readonly string[]
  /** Headers of JSON answers that leave their connection open, by size. */
  readonly #frequent: (readonly string[])[] = []
  readonly #options: ReplyWriterOptions

  /** Throws TypeError for a header that HTTP does not allow. */
  constructor(options: ReplyWriterOptions) {
    this.#options = options
    for (const [name, value] of Object.entries(options.headers)) {
      validateHeaderName(name)
      for (const item of typeof value === 'string' ? [value] : value) validateHeaderValue(name, item)
    }
    this.#headers = flat(options.headers)
    this.#jsonHeaders = [...JSON_TYPE, ...this.#headers]
    const idleSeconds = Math.floor((options.idleTimeoutMillis ?? 0) / 1000) - 1
    this.#keepAliveHeaders = idleSeconds > 0 ? ['keep-alive', `timeout=${idleSeconds}`] : []
  }

  /** Headers of every answer, as lines of a message that is written by hand. */
  get headerLines(): string {
    const pairs = this.#headers.map((part, index) => (index % 2 === 0 ? `${part}: ` : `${part}\r\n`))
    return pairs.join('')
  }

  /**
   * Sends an answer. A body goes out byte for byte, as JSON unless `headers` (lower-case names) say otherwise; statuses
   * without a body drop it.
   */
  send(exchange: Exchange, status: number, body?: string | Buffer, headers?: HeaderValues): void {
    const { gzipMinBytes } = this.#options
    if (
      gzipMinBytes !== undefined &&
      body !== undefined &&
      body.length >= gzipMinBytes &&
      takesGzip(exchange, headers)
    ) {
      void this.#sendCompressed(exchange, status, body, headers)
    } else {
      this.#write(exchange, status, body, headers)
    }
  }

  /** Answers with what went wrong, as JSON; what nobody foresaw goes to the log. */
  sendError(exchange: Exchange, error: unknown): void {
    const { status, message, headers, unexpected } = publicError(error, () => exchange.requestId)
    if (unexpected) this.#logFailure(exchange, error)
    else if (this.#options.log.isLevelEnabled('debug')) this.#logRefusal(exchange, status, error)
    this.#write(exchange, status, errorBody(status, message), headers)
  }

  async #sendCompressed(exchange: Exchange, status: number, body: string | Buffer, headers?: HeaderValues) {
    const compressed = await compress(body).catch(() => undefined)
    const changed = compressed && { 'content-encoding': 'gzip', vary: 'accept-encoding' }
    this.#write(exchange, status, compressed ?? body, { ...headers, ...changed })
  }

  #write(exchange: Exchange, status: number, body: string | Buffer | undefined, headers?: HeaderValues): void {
    const { response } = exchange
    if (exchange.answered || response.headersSent) return
    const bodiless = body === undefined || status === 204 || status === 304
    const size = bodiless ? 0 : Buffer.byteLength(body)
    if (this.#options.sendDate === false) response.sendDate = false
    try {
      response.writeHead(status, this.#headersOf(exchange, status, bodiless ? undefined : size, headers))
    } catch (error) {
      // A value that no header may have: the answer must not be lost with it.
      this.#logFailure(exchange, error)
      this.#write(exchange, 500, errorBody(500, `Internal Server Error, request ${exchange.requestId}`))
      return
    }
    exchange.answer(status, exchange.method === 'HEAD' ? 0 : size)
    response.end(bodiless ? undefined : body)
    this.#observe(exchange)
  }

  /** Names and values by turns; `size` is undefined without a body. */
  #headersOf(
    exchange: Exchange,
    status: number,
    size: number | undefined,
    headers: HeaderValues | undefined,
  ): string[] {
    const { connection, response } = exchange
    // Answers to what came before on the connection are still to follow, or to be sent: only the last one ends it.
    const closes = connection.latest === exchange && (connection.retiring || this.#options.keepAlive === false)
    const stays = !closes && response.shouldKeepAlive
    if (!stays) connection.ended = true
    const isFrequent = stays && size !== undefined && size < FREQUENT_SIZE && headers === undefined
    const kept = isFrequent ? this.#frequent[size] : undefined
    if (kept) return kept as string[]
    const typed = size === undefined || headers?.['content-type'] !== undefined
    const lines = [...(typed ? this.#headers : this.#jsonHeaders)]
    if (status !== 204 && status !== 304) lines.push('content-length', String(size ?? 0))
    if (headers) lines.push(...flat(headers))
    if (closes) lines.push('connection', 'close')
    if (stays) lines.push(...this.#keepAliveHeaders)
    if (isFrequent) this.#frequent[size] = lines
    return lines
  }

  #observe(exchange: Exchange): void {
    const { observers, slowRequestMillis, log } = this.#options
    if (observers) for (const observer of observers) observer(exchange)
    if (slowRequestMillis === undefined) return
    const { durationMillis, status, request } = exchange
    // Who asks the server to wait (RFC 7240) is not served slowly.
    if (durationMillis > slowRequestMillis && request.headers['prefer'] === undefined) {
      log.warn({ ...identity(exchange), status, millis: Math.round(durationMillis) }, 'slow request')
    }
  }

  #logFailure(exchange: Exchange, error: unknown): void {
    this.#options.log.error({ ...identity(exchange), err: error }, 'request failed')
  }

  #logRefusal(exchange: Exchange, status: number, error: unknown): void {
    const detail = error instanceof Error && 'detail' in error ? error.detail : undefined
    const message = messageOf(error)
    this.#options.log.debug({ ...identity(exchange), status, message, detail }, 'request refused')
  }
}

const identity = (exchange: Exchange) => ({
  requestId: exchange.requestId,
  api: exchange.api,
  method: exchange.method,
  // Queries may carry secrets.
  path: pathOf(exchange.request.url ?? ''),
  principal: exchange.principal?.fullName,
  remoteAddress: exchange.remoteAddress,
})

const flat = (headers: HeaderValues): string[] =>
  Object.entries(headers).flatMap(([name, value]) =>
    typeof value === 'string' ? [name, value] : value.flatMap((item) => [name, item]),
  )

function takesGzip({ request }: Exchange, headers: HeaderValues | undefined): boolean {
  if (headers?.['content-type'] !== undefined || headers?.['content-encoding'] !== undefined) return false
  const accepted = request.headers['accept-encoding']
  return acceptsGzip(Array.isArray(accepted) ? accepted.join(',') : accepted)
}
