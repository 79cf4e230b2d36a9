import { isDeepStrictEqual } from 'node:util'
import type { Authority } from '#core/authority/authority.ts'
import type { Principal } from '#core/authority/principal.ts'
import { ServiceError } from '#core/error/service-error.ts'
import type { Endpoint, Handler, Reply, RequestContext } from '#core/http/endpoint.ts'
import type { MaybePromise } from '#core/http/maybe-promise.ts'
import { replySerializer } from '#core/http/reply-json.ts'
import { requestReader } from '#core/http/request-values.ts'
import { resourceTemplate } from '#core/http/resource-template.ts'
import type { WireShape } from '#core/http/wire.ts'

/** Handlers of some operations, by operation. */
export type SomeHandlers = Readonly<Record<string, unknown>>

/** Circumstances of a call. */
export interface CallOptions {
  /** Full name of the caller; `user.admin` by default. */
  readonly as?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly principal?: Partial<Principal>
  /** The call comes without credentials. */
  readonly anonymous?: boolean
  readonly signal?: AbortSignal
  /** Members of the context that differ from those of every call. */
  readonly context?: Partial<RequestContext>
}

/** An answer as a client sees it. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  // oxlint-disable-next-line typescript/no-explicit-any -- parsed JSON, of which tests read single members
  readonly body: any
}

/** The answer to a request that is refused with a status and a reason. */
export const refusal = (code: number, message: string): Answer => ({
  status: code,
  headers: {},
  body: { code, message },
})

const authority: Authority = { id: 'Auth-TEST', credentialSource: 'header', allowAuthorization: true }

/** A caller with a full name. */
export function principalOf(fullName: string, more: Partial<Principal> = {}): Principal {
  const dot = fullName.lastIndexOf('.')
  return {
    domain: fullName.slice(0, dot),
    name: fullName.slice(dot + 1),
    fullName,
    authority,
    issueTimeSeconds: 0,
    ...more,
  }
}

/** What a caller needs of a server. */
export interface CalledServer {
  /** All operations, also those that are not under test: a path means the same as on the wire. */
  readonly endpoints: Readonly<Record<string, Endpoint>>
  readonly handlers: SomeHandlers
  /** Decides declared access rules: the error to answer with, if any. */
  readonly check: (principal: Principal, action: string, resource: string) => MaybePromise<ServiceError | undefined>
}

/**
 * Calls services as over HTTP, but within the process: requests are read, authorized and validated by their declarations,
 * and answers go through JSON.
 */
export class ServiceCaller {
  readonly #server: CalledServer

  constructor(server: CalledServer) {
    this.#server = server
  }

  /** Sends a request; `target` is path and query below the API root, `body` an object or the raw text. */
  async call(method: string, target: string, body: unknown, options: CallOptions = {}): Promise<Answer> {
    const { endpoints, handlers } = this.#server
    const { endpoint, params } = route(endpoints, method, target)
    const handler = handlers[endpoint.operation] as Handler<Endpoint> | undefined
    if (!handler) throw new Error(`${endpoint.operation} is not among the services under test`)
    const headers = Object.fromEntries(
      Object.entries(options.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
    )
    const context: RequestContext = {
      requestId: 'test',
      api: endpoint.operation.toLowerCase(),
      method,
      principal: options.anonymous ? undefined : principalOf(options.as ?? 'user.admin', options.principal),
      remoteAddress: '192.0.2.1',
      header: (name) => headers[name.toLowerCase()],
      ...(options.signal && { signal: options.signal }),
      ...options.context,
    }
    try {
      return answerOf(endpoint, await this.#handle(endpoint, handler, context, { params, target, headers, body }))
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error
      return { status: error.status, headers: {}, body: { code: error.status, message: error.message } }
    }
  }

  async #handle(
    endpoint: Endpoint,
    handler: Handler<Endpoint>,
    context: RequestContext,
    request: { params: Record<string, string>; target: string; headers: Record<string, string>; body: unknown },
  ): Promise<Reply> {
    const { params, target, headers, body } = request
    const text = typeof body === 'string' ? body : body === undefined ? undefined : JSON.stringify(body)
    const read = requestReader(endpoint, { invalidObjectMessage: 'Invalid Object' })
    const { values, broken } = read({
      params,
      url: target,
      headers,
      body: text === undefined ? text : Buffer.from(text),
    })
    const { access } = endpoint
    if (access.kind === 'authorize') {
      const resource = resourceTemplate(access.resource, Object.keys(endpoint.params))(params)
      const refused = await this.#server.check(context.principal as Principal, access.action, resource)
      if (refused) throw refused
    }
    if (broken) throw broken
    return handler(values as Parameters<typeof handler>[0], context)
  }
}

/** The operation a request means: that with the fewest placeholders in its path. */
function route(
  endpoints: Readonly<Record<string, Endpoint>>,
  method: string,
  target: string,
): { endpoint: Endpoint; params: Record<string, string> } {
  const segments = (target.split('?')[0] ?? '').split('/')
  const found = Object.values(endpoints)
    .filter((endpoint) => endpoint.method === method)
    .map((endpoint) => ({ endpoint, parts: endpoint.path.split('/') }))
    .filter(({ parts }) => parts.length === segments.length)
    .filter(({ parts }) => parts.every((part, index) => part.startsWith('{') || part === segments[index]))
    .sort((a, b) => placeholderCount(a.parts) - placeholderCount(b.parts))[0]
  if (!found) throw new Error(`no operation for ${method} ${target}`)
  const params = found.parts.flatMap((part, index) =>
    part.startsWith('{') ? [[part.slice(1, -1), decodeURIComponent(segments[index] ?? '')]] : [],
  )
  return { endpoint: found.endpoint, params: Object.fromEntries(params) as Record<string, string> }
}

const placeholderCount = (parts: readonly string[]) => parts.filter((part) => part.startsWith('{')).length

function answerOf({ responses, operation }: Endpoint, { status, headers = {}, body }: Reply): Answer {
  const declared = responses[status]
  if (declared === undefined) throw new Error(`${operation} does not declare the status ${status}`)
  if (body === undefined) return { status, headers, body: undefined }
  const { wire } = declared as { wire?: WireShape }
  if (!wire) throw new Error(`${operation} does not declare a body for ${status}`)
  const ready = typeof body === 'string' || Buffer.isBuffer(body)
  const text = ready ? body.toString() : replySerializer(wire)(body)
  const parsed = JSON.parse(text) as unknown
  const type = declared as unknown as { parse(value: unknown): unknown }
  if (!isDeepStrictEqual(withoutUndefined(type.parse(parsed)), parsed)) {
    throw new Error(`${operation} answers members that are not declared: ${text}`)
  }
  return { status, headers, body: parsed }
}

/** The value without members that are undefined. */
function withoutUndefined(value: unknown): unknown {
  return value === undefined ? undefined : (JSON.parse(JSON.stringify(value)) as unknown)
}
