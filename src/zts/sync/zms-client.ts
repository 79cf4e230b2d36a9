import { setTimeout as wait } from 'node:timers/promises'
import type { Dispatcher } from 'undici'
import { boundedBytes } from '#core/http/bounded-body.ts'
import { codeOf, isDistrust } from '#core/http/connection-failure.ts'
import { SourceFailure } from './change-log-store.ts'

/** Where ZMS is, how to connect to it and who asks. */
export interface ZmsClientOptions {
  /** Base URL, with or without `/zms/v1`. */
  readonly url: string
  /** The connections to use now: they are changed together with the trust in the server. */
  readonly dispatcher: () => Promise<Dispatcher>
  /** Headers that say who asks. */
  readonly credentials: () => Promise<Readonly<Record<string, string>>>
  /** Told when ZMS does not know who asks. */
  readonly onUnauthorized?: () => void
  /** For tests. */
  readonly pause?: (millis: number, signal: AbortSignal) => Promise<void>
}

/** One question. */
export interface ZmsQuestion {
  /** Below the API's root, beginning with a slash. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  /** Longest answer. */
  readonly maxBytes: number
  /** From the question to the last byte of the answer. */
  readonly timeoutMillis: number
  readonly signal: AbortSignal
}

/** An answer of the expected kinds: 200, 304 or 404. */
export interface ZmsAnswer {
  readonly status: 200 | 304 | 404
  readonly etag: string | undefined
  /** Whether ZMS waited as it was asked to (RFC 7240). */
  readonly preferenceApplied: boolean
  readonly body: Buffer
}

const API_ROOT = '/zms/v1'
/** Too many requests: so often a question is repeated, as the original does. */
const MAX_TRIES = 100
const MAX_REASON_LENGTH = 200

/**
 * Asks ZMS. What is no answer of use becomes a {@link SourceFailure} with words for people who run the server. It is apart
 * from the client library, which reads answers into objects: here the bytes stay as they came, to be read, verified and
 * written to disk without being built anew; a question may be held by ZMS for as long as nothing changes; and the
 * limits of an answer, the connections and the patience with a busy server are those of a server, not of an application.
 */
export class ZmsClient {
  readonly #options: ZmsClientOptions
  readonly #root: URL
  readonly #pause: (millis: number, signal: AbortSignal) => Promise<void>

  constructor(options: ZmsClientOptions) {
    this.#options = options
    this.#root = apiRoot(options.url)
    this.#pause = options.pause ?? ((millis, signal) => wait(millis, undefined, { signal }))
  }

  /** Repeats a question while ZMS says that there are too many of them. */
  async ask(question: ZmsQuestion): Promise<ZmsAnswer> {
    for (let tries = 1; ; tries++) {
      const answer = await this.#askOnce(question)
      if (answer !== 'too-many') return answer
      if (tries === MAX_TRIES) throw this.#failure('status', 'still answers that there are too many requests (429)')
      await this.#pause(pauseMillis(tries), question.signal)
    }
  }

  async #askOnce(question: ZmsQuestion): Promise<ZmsAnswer | 'too-many'> {
    const { dispatcher, credentials, onUnauthorized } = this.#options
    const { signal } = question
    signal.throwIfAborted()
    // The library's own time-outs begin anew with every piece, so that an answer in drops would never end.
    const timeout = AbortSignal.timeout(question.timeoutMillis)
    try {
      const response = await (await dispatcher()).request({
        origin: this.#root.origin,
        path: this.#root.pathname + question.path + queryText(question.query),
        method: 'GET',
        headers: { accept: 'application/json', ...question.headers, ...(await credentials()) },
        signal: AbortSignal.any([signal, timeout]),
      })
      const { statusCode: status } = response
      const body = await this.#body(response, status === 200 ? question.maxBytes : MAX_ERROR_BYTES)
      if (status === 429) return 'too-many'
      if (status !== 200 && status !== 304 && status !== 404) {
        if (status === 401) onUnauthorized?.()
        throw this.#unexpected(status, body)
      }
      return {
        status,
        etag: headerOf(response, 'etag'),
        preferenceApplied: /(?:^|[\s,;])wait(?:$|[\s,;=])/i.test(headerOf(response, 'preference-applied') ?? ''),
        body,
      }
    } catch (cause) {
      if (cause instanceof SourceFailure) throw cause
      if (signal.aborted) throw signal.reason
      if (timeout.aborted) throw this.#failure('timeout', 'does not answer in time', cause)
      const code = isDistrust(cause) ? 'untrusted' : 'unreachable'
      throw this.#failure(code, `cannot be reached: ${reasonOf(cause)}`, cause)
    }
  }

  async #body({ body }: Dispatcher.ResponseData, maxBytes: number): Promise<Buffer> {
    try {
      return await boundedBytes(body as AsyncIterable<Buffer>, maxBytes)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      throw this.#failure('garbage', `gives an answer of more than ${maxBytes} bytes`)
    }
  }

  #unexpected(status: number, body: Buffer): SourceFailure {
    const message = messageOf(body)
    const said = `answers with status ${status}${message === '' ? '' : `: ${message}`}`
    if (status !== 401) return this.#failure('status', said)
    return this.#failure('refused', `${said} (is the public key of sys.auth.zts registered in it?)`)
  }

  #failure(code: SourceFailure['code'], said: string, cause?: unknown): SourceFailure {
    return new SourceFailure(code, `ZMS at ${this.#root.origin} ${said}`, { cause })
  }
}

const MAX_ERROR_BYTES = 65_536

function apiRoot(text: string): URL {
  const url = new URL(text)
  const path = url.pathname.replace(/\/+$/, '')
  url.pathname = path.endsWith(API_ROOT) ? path : path + API_ROOT
  url.search = ''
  url.hash = ''
  return url
}

const queryText = (query: Readonly<Record<string, string>> | undefined): string =>
  query === undefined ? '' : `?${new URLSearchParams(query).toString()}`

/** A second after the first refusal, a second longer after each of the next two, then between four and ten. */
function pauseMillis(tries: number): number {
  return tries < 4 ? tries * 1000 : 4000 + Math.floor(Math.random() * 6000)
}

function headerOf({ headers }: Dispatcher.ResponseData, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value[0] : value
}

/** The message of an error of ZMS, without anything that could break the line of a log. */
function messageOf(body: Buffer): string {
  try {
    const { message } = JSON.parse(body.toString('utf8')) as { message?: unknown }
    return typeof message === 'string' ? printable(message) : ''
  } catch {
    return ''
  }
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return printable(String(cause))
  const code = codeOf(cause)
  const [first] = cause instanceof AggregateError ? (cause.errors as unknown[]) : []
  const message = cause.message !== '' ? cause.message : first === undefined ? '' : reasonOf(first)
  return printable(code === undefined || message.includes(code) ? message : `${message} (${code})`)
}

const printable = (text: string): string => text.slice(0, MAX_REASON_LENGTH).replaceAll(/[^ -~]+/g, ' ')
