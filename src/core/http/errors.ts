import { ServiceError } from '../error/service-error.ts'
import { STATUS_CODES } from './node-http.ts'

/** Headers of an answer by lower-case name. */
export type HeaderValues = Readonly<Record<string, string | readonly string[]>>

/** An error as a client may see it. */
export interface PublicError {
  readonly status: number
  readonly message: string
  readonly headers?: HeaderValues
  /** Nobody foresaw it: the log gets it whole, the client a plain text. */
  readonly unexpected: boolean
}

const TEXTS: ReadonlyMap<number, string> = new Map([
  [413, 'Request body too large'],
  [431, 'Request header fields too large'],
])

/** The text for a status that needs no other explanation. */
export const statusText = (status: number): string => TEXTS.get(status) ?? STATUS_CODES[status] ?? 'Error'

/** Body of every error answer. */
export const errorBody = (status: number, message: string): string => JSON.stringify({ code: status, message })

/**
 * Turns whatever was thrown into what a client is told. Only a ServiceError speaks for itself; errors of the HTTP
 * framework keep their 4xx status under a text of ours; all else is a plain 500 that names the request for the log.
 */
export function publicError(error: unknown, requestId: () => string): PublicError {
  if (error instanceof ServiceError) {
    const { status, message, headers } = error
    return { status, message, ...(headers && { headers }), unexpected: error.code === 'internal' }
  }
  const status = frameworkStatus(error)
  if (status !== undefined) return { status, message: statusText(status), unexpected: false }
  return { status: 500, message: `Internal Server Error, request ${requestId()}`, unexpected: true }
}

/** Fastify gives its own errors a code that starts with FST_ and the status they stand for. */
function frameworkStatus(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('statusCode' in error) || !('code' in error)) return undefined
  const { statusCode, code } = error
  const own = typeof code === 'string' && code.startsWith('FST_')
  return own && typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500 ? statusCode : undefined
}
