import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AccessCheck } from './domain-policies.ts'
import { type GuardOptions, type GuardRefusal, RequestGuard } from './request-guard.ts'

/** A request that has been let in: `athenz` says by what. */
export type GuardedRequest<Request extends IncomingMessage = IncomingMessage> = Request & { athenz?: AccessCheck }

/** Middleware of Express, Connect and whatever calls functions likewise; `next` is given what went wrong, if anything. */
export type Middleware<Request extends IncomingMessage> = (
  request: GuardedRequest<Request>,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void

/**
 * Middleware that lets requests on only if the policies allow the action on the resource, and answers others with 401 or
 * 403 and the reason as JSON. Without a framework, call it in the listener of Node's HTTP server.
 */
export function athenz<Request extends IncomingMessage = IncomingMessage>(
  options: GuardOptions<GuardedRequest<Request>>,
): Middleware<Request> {
  const guard = new RequestGuard<GuardedRequest<Request>>(options, (request) => request)
  const decide = async (...[request, response, next]: Parameters<Middleware<Request>>): Promise<void> => {
    let refusal: GuardRefusal | undefined
    try {
      const outcome = await guard.check(request)
      refusal = outcome.refusal
      if (outcome.refusal === undefined) request.athenz = outcome.check
    } catch (error) {
      next(error)
      return
    }
    if (refusal === undefined) next()
    else {
      const headers = { ...refusal.headers, 'content-type': 'application/json' }
      response.writeHead(refusal.status, headers).end(JSON.stringify(refusal.body))
    }
  }
  return (request, response, next) => void decide(request, response, next)
}
