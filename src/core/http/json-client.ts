import type { Dispatcher } from 'undici'
import { messageOf } from '../error/message-of.ts'
import { boundedText } from './bounded-body.ts'

/** How long a server is waited for, and how much of its answer is read. */
export interface JsonClientOptions {
  readonly connectTimeoutMillis: number
  /** From the sending of the request to the last byte of the answer. */
  readonly readTimeoutMillis: number
  /** Proxy on the way to the server: `http://`, `https://` or `socks5://`. */
  readonly proxyUrl?: string | undefined
  /** Connections to one server; 16 unless given. */
  readonly connections?: number
  /** Whom to trust, and who to be, as PEM texts; the authorities of the system, and nobody, unless given. */
  readonly tls?: JsonClientTls | undefined
}

/** TLS of a client, all as PEM. */
export interface JsonClientTls {
  /** Authorities that servers are trusted by, one text or several. */
  readonly ca?: string | readonly string[] | undefined
  /** The certificate of the client itself, with its key. */
  readonly cert?: string | undefined
  readonly key?: string | undefined
  /** True: the server may be anybody. For tools whose user said so. */
  readonly trustAnyServer?: boolean | undefined
}

/** A request whose answer is JSON. */
export interface JsonRequest {
  /** POST when there is a body, otherwise GET. */
  readonly body?: JsonRequestBody
  readonly headers?: Readonly<Record<string, string>>
}

/** Sent as JSON, or as the fields of a form. */
export type JsonRequestBody = { readonly json: object } | { readonly form: Readonly<Record<string, string>> }

/** What a server answered; redirections are answers like any other. */
export interface JsonAnswer {
  readonly status: number
  /** Undefined when the answer is no JSON. */
  readonly value: unknown
}

/** Answers of this kind are short; a longer one is given up. */
const ANSWER_MAX_BYTES = 1_048_576
const CONNECTIONS = 16

/**
 * Asks other services over HTTP. It goes only where it is told to: redirections are not followed. The HTTP library is
 * loaded with the first request, since many servers never send one.
 */
export class JsonClient {
  readonly #options: JsonClientOptions
  #dispatcher: Promise<Dispatcher> | undefined

  constructor(options: JsonClientOptions) {
    this.#options = options
  }

  /** Rejects with an Error that says what went wrong when no whole answer comes in time. */
  async ask(url: URL, { body, headers }: JsonRequest = {}): Promise<JsonAnswer> {
    const { readTimeoutMillis, connectTimeoutMillis } = this.#options
    const sent = body && encoded(body)
    const dispatcher = await (this.#dispatcher ??= openDispatcher(this.#options))
    try {
      const { statusCode, body: answer } = await dispatcher.request({
        origin: url.origin,
        path: url.pathname + url.search,
        method: sent ? 'POST' : 'GET',
        headers: { accept: 'application/json', ...headers, ...(sent && { 'content-type': sent.type }) },
        ...(sent && { body: sent.text }),
        signal: AbortSignal.timeout(connectTimeoutMillis + readTimeoutMillis),
      })
      return { status: statusCode, value: parsed(await boundedText(answer, ANSWER_MAX_BYTES)) }
    } catch (cause) {
      throw new Error(`no answer from ${url.host}: ${messageOf(cause)}`, { cause })
    }
  }

  /** Ends all connections; requests under way fail. */
  async close(): Promise<void> {
    await (await this.#dispatcher)?.destroy()
  }
}

/**
 * Of silence on a connection, after which the system asks the other end every second, ten times, whether it is still there:
 * one that has vanished without a word would be waited for until the time of the request is over.
 */
export const SILENCE_MILLIS = 5_000

/** Connections to other services, through the proxy when one is given; requests have no time-outs but their own. */
export async function openDispatcher(options: Omit<JsonClientOptions, 'readTimeoutMillis'>): Promise<Dispatcher> {
  const { connectTimeoutMillis, proxyUrl, connections = CONNECTIONS, tls } = options
  const { Agent, ProxyAgent, Socks5ProxyAgent } = await import('undici')
  // Its own time-outs start again with every piece, so that a trickle would never end: each request has one for all.
  const shared = { connections, headersTimeout: 0, bodyTimeout: 0 }
  const connect = { timeout: connectTimeoutMillis, keepAliveInitialDelay: SILENCE_MILLIS, ...(tls && present(tls)) }
  if (proxyUrl === undefined) return new Agent({ ...shared, connect })
  const through = { ...shared, requestTls: connect }
  return /^socks5?:/i.test(proxyUrl)
    ? new Socks5ProxyAgent(proxyUrl, through)
    : new ProxyAgent({ ...through, uri: proxyUrl, proxyTls: connect })
}

/** TLS takes an absent member for another one than one that is undefined. */
function present({ ca, cert, key, trustAnyServer }: JsonClientTls) {
  return {
    ...(ca !== undefined && { ca: [ca].flat() }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(trustAnyServer && { rejectUnauthorized: false }),
  }
}

function encoded(body: JsonRequestBody): { text: string; type: string } {
  return 'json' in body
    ? { text: JSON.stringify(body.json), type: 'application/json' }
    : { text: new URLSearchParams(body.form).toString(), type: 'application/x-www-form-urlencoded' }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A member of an answer that is a text; undefined when the answer is no object, or the member absent or something else. */
export function textMember(value: unknown, name: string): string | undefined {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  const member = (value as Readonly<Record<string, unknown>>)[name]
  return typeof member === 'string' ? member : undefined
}
