import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AccessCheck } from './domain-policies.ts'
import { type GuardOptions, RequestGuard } from './request-guard.ts'

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
  const decide = async (request: GuardedRequest<Request>, response: ServerResponse): Promise<boolean> => {
    const { check, refusal } = await guard.check(request)
    if (refusal === undefined) {
      request.athenz = check
      return true
    }
    const body = JSON.stringify(refusal.body)
    response.writeHead(refusal.status, { ...refusal.headers, 'content-type': 'application/json' }).end(body)
    return false
  }
  return (request, response, next) => {
    decide(request, response).then(
      (granted) => {
        if (granted) next()
      },
      (error: unknown) => next(error),
    )
  }
}
