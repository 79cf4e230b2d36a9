import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { notFound } from '../error/service-error.ts'
import { statusText } from './errors.ts'
import { pathOf } from './request-target.ts'
import type { RequestFilter } from './server.ts'

/** Paths that load balancers ask for, and the folder whose files decide the answers. */
export interface HealthCheckOptions {
  readonly paths: ReadonlySet<string>
  readonly folder: string
  /** Whether the good answer has the body `OK`. */
  readonly sendOk: boolean
}

/**
 * Answers the paths of a health check before any operation: 200 while the file of that name is in the folder, else 404.
 * Taking the file away takes the server out of rotation. Only configured paths ever become file names.
 */
export function healthCheckFilter({ paths, folder, sendOk }: HealthCheckOptions): RequestFilter {
  return (exchange, writer) => {
    const path = pathOf(exchange.request.url ?? '')
    if ((exchange.method !== 'GET' && exchange.method !== 'HEAD') || !paths.has(path)) return false
    stat(join(folder, path)).then(
      () => writer.send(exchange, 200, sendOk ? 'OK' : '', { 'content-type': 'text/plain' }),
      () => writer.sendError(exchange, notFound(statusText(404))),
    )
    return true
  }
}
