import { loadPlugIn, missingMethods } from '../config/plug-in.ts'
import { ServiceError } from '../error/service-error.ts'
import type { RequestFilter } from './server.ts'

/** What a limiter of the operator is told of a request. */
export interface LimitedRequest {
  readonly method: string
  /** Path and query as they were sent. */
  readonly target: string
  readonly remoteAddress: string
  /** Serial number of the client certificate, in decimal. */
  readonly certificateSerial: string | undefined
  header(name: string): string | undefined
}

/**
 * Limits the rate of requests in a way of the operator's own; a plug-in. Asked before anybody has looked at the
 * credentials, and therefore at once and of everything.
 */
export interface RateLimiter {
  /** 0 for a request that may go on, otherwise the seconds after which the client may try again. */
  secondsToWait(request: LimitedRequest): number
  close?(): Promise<void> | void
}

const PROPERTY = 'athenz.ratelimit_factory_class'

/** Opens the limiter that the property selects; none when it selects none. Throws ConfigError when it cannot be had. */
export async function openRateLimiter(
  className: string | undefined,
  directory: string,
): Promise<RateLimiter | undefined> {
  if (className === undefined) return undefined
  return loadPlugIn<RateLimiter, []>(className, {
    property: PROPERTY,
    what: 'limiter of rates',
    builtIn: new Map(),
    problemsOf: missingMethods('secondsToWait'),
    directory,
  })
}

/** Answers what the limiter refuses with 429. A limiter that fails refuses nothing: it must not take the server away. */
export function limiterFilter(
  limiter: RateLimiter,
  { onRefused, onFailure }: { readonly onRefused: () => void; readonly onFailure: (error: unknown) => void },
): RequestFilter {
  return (exchange, writer) => {
    let seconds: number
    try {
      seconds = limiter.secondsToWait({
        method: exchange.method,
        target: exchange.request.url ?? '',
        remoteAddress: exchange.remoteAddress,
        certificateSerial: exchange.connection.certificateSerial,
        header: (name) => exchange.header(name),
      })
    } catch (error) {
      onFailure(error)
      return false
    }
    if (!(seconds > 0)) return false
    onRefused()
    const headers = { 'retry-after': String(Math.ceil(seconds)) }
    writer.sendError(exchange, new ServiceError('quota', 'Too many requests, try again later', { headers }))
    return true
  }
}
