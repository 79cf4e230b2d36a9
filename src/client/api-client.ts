import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Dispatcher } from 'undici'
import { messageOf } from '#core/error/message-of.ts'
import { boundedText } from '#core/http/bounded-body.ts'
import { codeOf, isDistrust } from '#core/http/connection-failure.ts'
import type { Endpoint } from '#core/http/endpoint.ts'
import { readValue, type WireIssue, type WireType } from '#core/http/wire.ts'
import { systemWait, type Wait } from '#core/main/periodic-job.ts'
import { type Clock, systemClock } from '#core/seam/clock.ts'
import { AthenzClientError, invalidRequest } from './client-error.ts'
import { type ConnectionOptions, Connections } from './connections.ts'
import type { Identity } from './identity.ts'
import {
  type OperationReply,
  type OperationRequest,
  type OperationResult,
  type Operations,
  wireRequest,
} from './operation.ts'
import { pauseBeforeRetry, type RetryOptions } from './retry.ts'
import { serverUrl } from './server-url.ts'

/** Where a server is, and who calls it. */
export interface ApiClientOptions extends ConnectionOptions, RetryOptions {
  /** Base URL, with or without the path of the API; that in athenz.conf unless given. */
  readonly url?: string
  /** `athenz.conf`, read when `url` is absent; `/home/athenz/conf/athenz/athenz.conf` unless given. */
  readonly athenzConf?: string
  /** Nobody unless given: then only operations for everybody can be called. */
  readonly identity?: Identity
  /** From sending to the last byte of the answer, for each try; 30 seconds unless given. */
  readonly readTimeoutMillis?: number
  /** Longest answer that is read; 256 MiB unless given. */
  readonly replyMaxBytes?: number
  /** Headers of every request. */
  readonly headers?: Readonly<Record<string, string>>
  /** Time, pauses and chance; those of this machine unless given. For tests. */
  readonly seams?: Partial<ClientSeams>
}

/** What a client takes from the machine. */
export interface ClientSeams {
  readonly clock: Clock
  /** Between two tries of a call, which keeps the process alive. */
  readonly pause: Wait
  /** Between two looks for tokens to renew, which does not. */
  readonly wait: Wait
  /** From 0 to below 1. */
  readonly random: () => number
}

/** Circumstances of one call. */
export interface CallOptions extends RetryOptions {
  /** Ends the call; it rejects with the reason of the signal. */
  readonly signal?: AbortSignal
  /** In place of the client's `readTimeoutMillis`. */
  readonly timeoutMillis?: number
  /** Further headers of the request. */
  readonly headers?: Readonly<Record<string, string>>
}

/** Arguments of a call after the name of the operation. */
export type CallArguments<E extends Endpoint> =
  OperationRequest<Endpoint> extends OperationRequest<E>
    ? [request?: OperationRequest<E>, options?: CallOptions]
    : [request: OperationRequest<E>, options?: CallOptions]

const pause: Wait = (millis, signal) => sleep(millis, undefined, { signal })

const READ_TIMEOUT_MILLIS = 30_000
const REPLY_MAX_BYTES = 256 * 1024 * 1024
const ERROR_MAX_BYTES = 65_536
const ERROR_MESSAGE_MAX_LENGTH = 2000

/**
 * Calls the operations of a server by their published names. Requests, answers and their types come from the declarations
 * that the server itself is made of.
 */
export class ApiClient<G extends Operations> {
  readonly #operations: G
  readonly #options: ApiClientOptions
  readonly #connections: Connections
  readonly #root: () => Promise<URL>
  protected readonly seams: ClientSeams

  constructor(operations: G, apiRoot: string, options: ApiClientOptions) {
    this.#operations = operations
    this.#options = options
    this.seams = { clock: systemClock, pause, wait: systemWait, random: Math.random, ...options.seams }
    this.#connections = new Connections(options, options.identity, this.seams.clock)
    this.#root = serverUrl(apiRoot, options)
  }

  /** Who calls. */
  get identity(): Identity | undefined {
    return this.#options.identity
  }

  /**
   * Calls an operation and gives the body of the answer, undefined when it has none.
   * @throws AthenzClientError for every answer that is no success, and when there is no answer
   */
  async call<K extends keyof G & string>(
    operation: K,
    ...[request, options]: CallArguments<G[K]>
  ): Promise<OperationResult<G[K]>> {
    const { body } = await this.#repeat(operation, request ?? {}, options ?? {})
    return body as OperationResult<G[K]>
  }

  /** As {@link call}, but gives status and headers, too, for those who need an `ETag` or a `Location`. */
  async exchange<K extends keyof G & string>(
    operation: K,
    ...[request, options]: CallArguments<G[K]>
  ): Promise<OperationReply<G[K]>> {
    return (await this.#repeat(operation, request ?? {}, options ?? {})) as OperationReply<G[K]>
  }

  /** Ends all connections; calls under way fail. The identity is closed by who made it. */
  async close(): Promise<void> {
    await this.#connections.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #repeat(operation: string, request: Values, options: CallOptions): Promise<Answer> {
    const endpoint = Object.hasOwn(this.#operations, operation) ? this.#operations[operation] : undefined
    if (endpoint === undefined) throw invalidRequest(`there is no operation ${operation}`)
    const harmless = endpoint.method === 'GET' || !endpoint.writes
    const retries = { ...this.#options, ...options }
    for (let tries = 1; ; tries++) {
      try {
        return await this.#ask(endpoint, request, options)
      } catch (error) {
        const millis = pauseBeforeRetry({ error, tries, harmless }, retries, this.seams.random)
        if (millis === undefined) throw error
        await this.#pause(millis, options.signal)
      }
    }
  }

  async #pause(millis: number, signal = new AbortController().signal): Promise<void> {
    await this.seams.pause(millis, signal).catch(() => {})
    signal.throwIfAborted()
  }

  async #ask(endpoint: Endpoint, request: Values, { signal, timeoutMillis, headers }: CallOptions): Promise<Answer> {
    signal?.throwIfAborted()
    const { identity, replyMaxBytes = REPLY_MAX_BYTES } = this.#options
    const { operation, method, responses } = endpoint
    const requestId = randomUUID()
    const place = { operation, requestId }
    const written = wireRequest(endpoint, request)
    const root = await this.#root()
    const dispatcher = await this.#connections.dispatcher()
    const credentials = await credentialsOf(identity)
    const timeout = AbortSignal.timeout(timeoutMillis ?? this.#options.readTimeoutMillis ?? READ_TIMEOUT_MILLIS)
    try {
      const response = await dispatcher.request({
        origin: root.origin,
        path: root.pathname + written.path,
        method,
        headers: {
          accept: 'application/json',
          'x-request-id': requestId,
          ...lowerNames(this.#options.headers),
          ...credentials,
          ...written.headers,
          ...lowerNames(headers),
        },
        body: written.body ?? null,
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      })
      const status = response.statusCode
      const declared = Object.hasOwn(responses, status) ? responses[status] : undefined
      if (declared === undefined) {
        if (status === 401) identity?.refused?.()
        throw refusal(response, await boundedText(response.body, ERROR_MAX_BYTES), place)
      }
      const replyHeaders = textHeaders(response.headers)
      if (typeof declared === 'symbol') {
        await response.body.dump()
        return { status, headers: replyHeaders, body: undefined }
      }
      const text = await boundedText(response.body, replyMaxBytes)
      return { status, headers: replyHeaders, body: readReply(declared, text, place) }
    } catch (cause) {
      if (cause instanceof AthenzClientError) throw cause
      if (signal?.aborted) throw signal.reason
      throw failure(cause, timeout.aborted, { ...place, host: root.host })
    }
  }
}

type Values = Readonly<Record<string, unknown>>

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}

interface Place {
  readonly operation: string
  readonly requestId: string
}

async function credentialsOf(identity: Identity | undefined): Promise<Readonly<Record<string, string>>> {
  try {
    return (await identity?.headers?.()) ?? {}
  } catch (cause) {
    throw invalidRequest(`no credentials: ${messageOf(cause)}`, cause)
  }
}

/** The parsed text, which keeps members that a newer server may have; it must have all that the type promises. */
function readReply(type: WireType<unknown>, text: string, place: Place): unknown {
  const garbage = (what: string, cause?: unknown) =>
    new AthenzClientError(`the answer to ${place.operation} is ${what}`, { ...place, kind: 'invalid-reply', cause })
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw garbage('no JSON', cause)
  }
  const issues: WireIssue[] = []
  readValue(type, value, issues)
  const [issue] = issues
  if (issue) throw garbage(`of another form: ${[...(issue.path ?? []), issue.message].join(' ')}`)
  return value
}

/** The error of a server: `{"code": …, "message": …}`, or whatever else there is to say. */
function refusal({ statusCode: status, headers }: Dispatcher.ResponseData, text: string, place: Place) {
  const { code, message } = errorMembers(text)
  const retryAfter = Number(textHeaders(headers)['retry-after'])
  return new AthenzClientError(message ?? `${place.operation} was answered with status ${status}`, {
    ...place,
    kind: 'status',
    status,
    ...(code !== undefined && { code }),
    ...(Number.isFinite(retryAfter) && { retryAfterSeconds: retryAfter }),
  })
}

function errorMembers(text: string): { code?: number; message?: string } {
  try {
    const { code, message, error_description: description, error } = JSON.parse(text) as Values
    const said = [message, description, error].find((each) => typeof each === 'string')
    return {
      ...(typeof code === 'number' && { code }),
      ...(typeof said === 'string' && { message: said.slice(0, ERROR_MESSAGE_MAX_LENGTH) }),
    }
  } catch {
    return {}
  }
}

function failure(cause: unknown, isLate: boolean, { host, ...place }: Place & { readonly host: string }) {
  const code = codeOf(cause) ?? ''
  if (isLate || code === 'UND_ERR_CONNECT_TIMEOUT') {
    const kind = isLate ? 'timeout' : 'unreachable'
    return new AthenzClientError(`no answer from ${host} in time`, { ...place, kind, cause })
  }
  if (cause instanceof RangeError || code === 'UND_ERR_INVALID_ARG') {
    const kind = cause instanceof RangeError ? 'invalid-reply' : 'invalid-request'
    return new AthenzClientError(messageOf(cause), { ...place, kind, cause })
  }
  const kind = isDistrust(cause) ? 'untrusted' : 'unreachable'
  const said = messageOf(cause) || code
  return new AthenzClientError(`${host} cannot be reached: ${said}`, { ...place, kind, cause })
}

function textHeaders(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  const texts = Object.entries(headers).flatMap(([name, value]): [string, string][] => {
    const first = Array.isArray(value) ? value[0] : value
    return first === undefined ? [] : [[name, first]]
  })
  return Object.fromEntries(texts)
}

const lowerNames = (headers: Readonly<Record<string, string>> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
