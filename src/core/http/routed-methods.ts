import { ServiceError } from '../error/service-error.ts'
import { statusText } from './errors.ts'

/** Methods the router knows. */
export const ROUTED_METHODS = ['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'PATCH', 'TRACE', 'OPTIONS'] as const

const routed = new Set<string>(ROUTED_METHODS)

/** The method under which the router looks for a request: one it does not know is looked for as PATCH, which no path has. */
export const routedMethod = (method: string): string => (routed.has(method) ? method : 'PATCH')

/** 405 with the methods that are allowed, where the path is known. */
export const methodNotAllowed = (allowed?: readonly string[]): ServiceError =>
  new ServiceError('method-not-allowed', statusText(405), allowed && { headers: { allow: allowed.join(',') } })
