import type { IncomingMessage } from 'node:http'
import type { AuthenticationOutcome } from '../authority/chain.ts'
import type { Principal } from '../authority/principal.ts'
import { forbidden, ServiceError, unauthorized } from '../error/service-error.ts'
import type { Endpoint, Handler, Reply, RequestContext } from './endpoint.ts'
import type { Exchange } from './exchange.ts'
import { isPromise, type MaybePromise } from './maybe-promise.ts'
import { replySerializer } from './reply-json.ts'
import type { ReplyWriter } from './reply-writer.ts'
import { pathOf } from './request-target.ts'
import { type BodyRules, type RawRequest, type ReadRequest, requestReader } from './request-values.ts'
import { resourceTemplate } from './resource-template.ts'
import type { WireShape } from './wire.ts'

/** Says who sends a request. With `optional`, a request without credentials goes on without a principal. */
export interface Authenticator {
  authenticate(request: IncomingMessage, optional: boolean): MaybePromise<AuthenticationOutcome>
}

/**
 * Decides a declared access rule: true, or the error to answer with. Action and resource are lower case; the resource
 * may hold names that break their pattern and so belong to nobody. Throws, or rejects, when it cannot decide.
 */
export type Authorizer = (
  principal: Principal,
  action: string,
  resource: string,
  context: RequestContext,
) => MaybePromise<true | ServiceError>

/**
 * A check of the server between authorization and validation: read-only mode, ports, headers that every operation has.
 * Refuses by throwing, or rejecting with, a ServiceError.
 */
export type BeforeHandler = (endpoint: Endpoint, context: RequestContext) => Promise<void> | void

/** What the operations of a server share. */
export interface PipelineOptions extends BodyRules {
  readonly authenticator: Authenticator
  readonly authorize: Authorizer
  readonly beforeHandler?: BeforeHandler
  /** Whether a path (without query) may be called without credentials although its operation asks for them. */
  readonly authenticationOptional?: (path: string) => boolean
  readonly writer: ReplyWriter
}

/** The way of the requests of one operation. Its steps answer what they refuse; they never throw and never reject. */
export interface Operation {
  /** Who may not do it is refused here, before a body is read; for all others calls `proceed`. */
  readonly vouch: (exchange: Exchange, raw: RawRequest, proceed: () => void) => void
  /** Handles a request and answers it; without authentication and authorization when it was vouched for. */
  readonly run: (exchange: Exchange, raw: RawRequest, vouched: boolean) => void
}

/** A step that refuses by throwing, or rejecting with, a ServiceError; it gives a promise only when it has to wait. */
type Step = (exchange: Exchange, raw: RawRequest) => Promise<void> | undefined

/**
 * Builds the way of a request through an operation, in the order of the original: what cannot be mapped is refused, then
 * comes authentication, then the declared authorization, then the checks of the server, then broken rules of the values,
 * then the handler. Only a large body has to wait for authentication and authorization, lest strangers make the server
 * hold and read it. Takes no turn of the event loop that none of its steps needs.
 */
export function operation(endpoint: Endpoint, handler: Handler<Endpoint>, options: PipelineOptions): Operation {
  const api = endpoint.operation.toLowerCase()
  const { writer } = options
  const read = requestReader(endpoint, options)
  const vouching = [authentication(endpoint, options), authorization(endpoint, options)].filter(isStep)
  const checking = [serverCheck(endpoint, options)].filter(isStep)
  const reply = replier(endpoint, writer)

  const fail = (exchange: Exchange) => (error: unknown) => writer.sendError(exchange, error)
  const conclude = (exchange: Exchange, answer: Reply): void => {
    try {
      reply(exchange, answer)
    } catch (error) {
      writer.sendError(exchange, error)
    }
  }
  const handle = (exchange: Exchange, { values, broken }: ReadRequest): void => {
    if (broken) throw broken
    const answer = handler(values as Parameters<typeof handler>[0], exchange)
    if (isPromise(answer)) answer.then((settled) => conclude(exchange, settled), fail(exchange))
    else reply(exchange, answer)
  }
  const guarded = (exchange: Exchange, work: () => ReturnType<Step>): void => {
    exchange.api = api
    exchange.secretQuery = endpoint.secretQuery
    try {
      work()?.catch(fail(exchange))
    } catch (error) {
      writer.sendError(exchange, error)
    }
  }

  const all = [...vouching, ...checking]
  return {
    vouch: (exchange, raw, proceed) =>
      guarded(exchange, () => {
        const waiting = through(vouching, exchange, raw)
        if (waiting) return waiting.then(proceed)
        proceed()
        return undefined
      }),
    run: (exchange, raw, vouched) =>
      guarded(exchange, () => {
        const request = read(raw)
        const waiting = through(vouched ? checking : all, exchange, raw)
        if (waiting) return waiting.then(() => handle(exchange, request))
        handle(exchange, request)
        return undefined
      }),
  }
}

const isStep = (step: Step | undefined): step is Step => step !== undefined

/** Takes the steps one after the other. */
function through(steps: readonly Step[], exchange: Exchange, raw: RawRequest, start = 0): ReturnType<Step> {
  for (let index = start; index < steps.length; index++) {
    const waiting = (steps[index] as Step)(exchange, raw)
    if (waiting) return waiting.then(() => through(steps, exchange, raw, index + 1))
  }
  return undefined
}

/** The step that establishes the principal; undefined for operations open to anybody. */
function authentication(endpoint: Endpoint, options: PipelineOptions): Step | undefined {
  if (endpoint.access.kind === 'anonymous') return undefined
  // No path lifts a right that somebody must have.
  const isOptional = endpoint.access.kind === 'authorize' ? undefined : options.authenticationOptional
  const { authenticator } = options
  const identify = (exchange: Exchange, { principal, failure }: AuthenticationOutcome): undefined => {
    if (failure) throw endpoint.challenges ? failure : withoutChallenge(failure)
    exchange.principal = principal
  }
  return (exchange, { url }) => {
    const optional = isOptional?.(pathOf(url)) ?? false
    const outcome = authenticator.authenticate(exchange.request, optional)
    return isPromise(outcome) ? outcome.then((settled) => identify(exchange, settled)) : identify(exchange, outcome)
  }
}

const withoutChallenge = ({ code, message, detail, cause }: ServiceError): ServiceError =>
  new ServiceError(code, message, { detail, cause })

/** The step that checks the declared rule; undefined when there is none beyond authentication. */
function authorization({ access, params }: Endpoint, { authorize }: PipelineOptions): Step | undefined {
  if (access.kind !== 'authorize') return undefined
  const action = access.action.toLowerCase()
  const resource = resourceTemplate(access.resource, Object.keys(params))
  return (exchange, raw) => {
    const { principal } = exchange
    if (!principal) throw unauthorized('Invalid credentials', { detail: 'No credentials provided' })
    if (principal.mtlsRestricted) throw forbidden('mTLS Restricted')
    const decision = authorize(principal, action, resource(raw.params), exchange)
    return isPromise(decision) ? decision.then(enforce) : enforce(decision)
  }
}

function enforce(decision: true | ServiceError): undefined {
  if (decision !== true) throw decision
}

function serverCheck(endpoint: Endpoint, { beforeHandler }: PipelineOptions): Step | undefined {
  return beforeHandler && ((exchange) => beforeHandler(endpoint, exchange) ?? undefined)
}

function replier({ responses }: Endpoint, writer: ReplyWriter) {
  const serializers = new Map(
    Object.entries(responses).map(([status, body]) => [
      Number(status),
      replySerializer(typeof body === 'symbol' ? undefined : (body as { wire?: WireShape }).wire),
    ]),
  )
  const anyReply = replySerializer(undefined)
  return (exchange: Exchange, { status, body, headers }: Reply): void => {
    const ready = body === undefined || typeof body === 'string' || Buffer.isBuffer(body)
    const serialize = serializers.get(status) ?? anyReply
    writer.send(exchange, status, ready ? body : serialize(body), headers)
  }
}
