import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { badRequest, forbidden, notFound, ServiceError } from '../error/service-error.ts'
import type { Endpoint, Handler, Handlers } from './endpoint.ts'
import { statusText } from './errors.ts'
import { announcesBody, type Exchange } from './exchange.ts'
import { acceptsType, judgeContentType } from './media-type.ts'
import { type Operation, operation, type PipelineOptions } from './pipeline.ts'
import { PlainRoutes } from './plain-routes.ts'
import { methodNotAllowed, ROUTED_METHODS } from './routed-methods.ts'
import type { BodilessHandler, HttpServer } from './server.ts'

/** Operations of a server and what they share. */
export interface Registration<G extends Readonly<Record<string, Endpoint>>> extends Omit<PipelineOptions, 'writer'> {
  /** Root of all paths, e.g. `/zms/v1`. */
  readonly basePath: string
  /** All operations below the root: which methods a path refuses follows from them. */
  readonly endpoints: G
  readonly handlers: Handlers<G>
  /** Methods answered with 403 wherever they are asked for; by default TRACE is 405 and OPTIONS lists the methods. */
  readonly forbiddenMethods?: readonly string[]
}

/** A path with the operations found there. */
interface Place {
  readonly url: string
  readonly endpoints: Map<Endpoint['method'], Endpoint>
}

/** A body beyond this size, or of unknown size, is read for those only who may send it. */
const UNVOUCHED_BODY_BYTES = 65_536

type Params = Readonly<Record<string, string>>
type Admission = (headers: IncomingHttpHeaders) => ServiceError | undefined

/**
 * Makes every operation reachable, and has the other methods of their paths refused: 405 with the list of methods, 200
 * with the list for OPTIONS. Throws Error for a declaration that cannot be routed.
 */
export function registerEndpoints<const G extends Readonly<Record<string, Endpoint>>>(
  server: HttpServer,
  registration: Registration<G>,
): void {
  const { endpoints, handlers, basePath } = registration
  const handlerOf = new Map<Endpoint, Handler<Endpoint>>(
    Object.entries(endpoints).map(([name, endpoint]) => [endpoint, handlers[name] as Handler<Endpoint>]),
  )
  const pipeline = { ...registration, writer: server.writer }
  const plain = new PlainRoutes<BodilessHandler>(basePath)
  for (const place of placesOf(Object.values(endpoints), basePath)) {
    for (const endpoint of place.endpoints.values()) {
      const handler = handlerOf.get(endpoint)
      if (!handler) throw new Error(`${endpoint.operation} has no handler`)
      const url = routePattern(basePath + endpoint.path)
      const bodiless = routeOperation(server, url, endpoint, operation(endpoint, handler, pipeline))
      for (const method of routedAs(endpoint)) plain.add(method, endpoint.path, bodiless)
    }
    routeOtherMethods(server, place, registration.forbiddenMethods ?? [])
  }
  server.serveBodiless(plain)
}

function placesOf(endpoints: readonly Endpoint[], basePath: string): Iterable<Place> {
  const places = new Map<string, Place>()
  for (const endpoint of endpoints) {
    const shape = endpoint.path.replaceAll(/\{\w+\}/g, '{}')
    let place = places.get(shape)
    if (!place) {
      place = { url: routePattern(basePath + endpoint.path), endpoints: new Map() }
      places.set(shape, place)
    }
    if (place.endpoints.has(endpoint.method)) throw new Error(`${endpoint.method} ${endpoint.path} is declared twice`)
    place.endpoints.set(endpoint.method, endpoint)
  }
  return places.values()
}

/** The router's form of a path such as `/domain/{name}`. A placeholder is a whole segment. */
function routePattern(path: string): string {
  const segments = path.split('/').map((segment) => {
    const placeholder = /^\{(\w+)\}$/.exec(segment)
    if (placeholder) return `:${placeholder[1]}`
    if (/[{}*]/.test(segment)) throw new Error(`${path}: a placeholder must be a whole segment`)
    return segment.replaceAll(':', '::')
  })
  return segments.join('/')
}

/** Routes an operation; gives what serves its requests without a body. */
function routeOperation(
  server: HttpServer,
  url: string,
  endpoint: Endpoint,
  { vouch, run }: Operation,
): BodilessHandler {
  const names = placeholders(endpoint)
  const admit = admission(endpoint)
  const method = routedAs(endpoint)
  const admitFirst = endpoint.body !== undefined

  const serve = (exchange: Exchange, params: Params, body: Buffer | undefined, admitted: boolean): void => {
    exchange.beginWork()
    const { url: target = '', headers } = exchange.request
    const refusal = admitted ? undefined : admit(headers)
    if (refusal) server.writer.sendError(exchange, refusal)
    else if (names.some((name) => params[name] === '')) server.writer.sendError(exchange, notFound(statusText(404)))
    else run(exchange, { params, url: target, headers, body }, admitFirst && isLarge(headers))
  }
  const handler = (request: FastifyRequest, reply: FastifyReply): void => {
    reply.hijack()
    const exchange = server.exchange(request.raw, reply.raw)
    serve(exchange, request.params as Params, request.body as Buffer | undefined, admitFirst)
  }
  /** A body that will not be used is refused before it is read. */
  const onRequest = (request: FastifyRequest, reply: FastifyReply, next: () => void): void => {
    const { url: target = '', headers } = request.raw
    const refusal = admit(headers)
    if (!refusal && !isLarge(headers)) return next()
    const exchange = server.exchange(request.raw, reply.raw)
    if (refusal) {
      reply.hijack()
      server.writer.sendError(exchange, refusal)
      return
    }
    const params = request.params as Params
    vouch(exchange, { params, url: target, headers, body: undefined }, next)
  }
  server.app.route({ method, url, handler, ...(admitFirst && { onRequest }) })
  return (exchange, params) => serve(exchange, params, undefined, false)
}

/** Methods under which the router knows an operation. */
const routedAs = ({ method }: Endpoint): ('HEAD' | Endpoint['method'])[] =>
  method === 'GET' ? ['GET', 'HEAD'] : [method]

const placeholders = (endpoint: Endpoint): string[] => {
  const names = [...endpoint.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string)
  const declared = Object.keys(endpoint.params)
  if (names.length !== declared.length || names.some((name) => !declared.includes(name))) {
    throw new Error(
      `${endpoint.operation}: the path and its parameters differ: ${names.join(', ')}; ${declared.join(', ')}`,
    )
  }
  return names
}

/** Content negotiation: what is sent must be what the operation consumes, and what it produces must be welcome. */
function admission({ body, consumes, produces }: Endpoint): Admission {
  return (headers) => {
    const type = headers['content-type']
    if (body !== undefined) {
      const verdict =
        type === undefined ? (announcesBody(headers) ? 'other' : 'fits') : judgeContentType(type, consumes)
      if (verdict === 'malformed') return badRequest('Malformed Content-Type')
      if (verdict === 'other') return new ServiceError('unsupported-media-type', statusText(415))
    }
    return acceptsType(headers.accept, produces) ? undefined : new ServiceError('not-acceptable', statusText(406))
  }
}

const isLarge = (headers: IncomingHttpHeaders): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > UNVOUCHED_BODY_BYTES

/** Routes the methods of a path that no operation has. Their answers do not depend on a body, which is not read. */
function routeOtherMethods(server: HttpServer, { url, endpoints }: Place, forbiddenMethods: readonly string[]): void {
  const declared = [...endpoints.keys()]
  const allowed = [...new Set([...declared, 'OPTIONS'])].sort()
  const served = new Set<string>(endpoints.has('GET') ? [...declared, 'HEAD'] : declared)
  const list = { allow: [...new Set([...allowed, ...served])].sort().join(',') }
  const refusal = methodNotAllowed(allowed)
  const forbids = new Set(forbiddenMethods)
  const answer = (exchange: Exchange): void => {
    const { method } = exchange
    if (forbids.has(method)) server.writer.sendError(exchange, forbidden(statusText(403)))
    else if (method === 'OPTIONS') server.writer.send(exchange, 200, undefined, list)
    else server.writer.sendError(exchange, refusal)
  }
  const onRequest = (request: FastifyRequest, reply: FastifyReply): void => {
    reply.hijack()
    answer(server.exchange(request.raw, reply.raw))
  }
  server.app.route({
    method: ROUTED_METHODS.filter((method) => !served.has(method)),
    url,
    // The hook answers every request; the handler only completes the route.
    onRequest: (request, reply, _next) => onRequest(request, reply),
    handler: onRequest,
  })
}
