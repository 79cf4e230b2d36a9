/** The closed set of failures a server tells a client about; each maps to one HTTP status. */
export type ErrorCode =
  | 'bad-request'
  | 'unauthorized'
  | 'forbidden'
  | 'not-found'
  | 'method-not-allowed'
  | 'not-acceptable'
  | 'conflict'
  | 'gone'
  | 'payload-too-large'
  | 'unsupported-media-type'
  | 'headers-too-large'
  | 'quota'
  | 'internal'
  | 'not-implemented'
  | 'bad-gateway'
  | 'unavailable'
  | 'gateway-timeout'

/** HTTP status of each error code. */
export const STATUS_OF: Readonly<Record<ErrorCode, number>> = {
  'bad-request': 400,
  unauthorized: 401,
  forbidden: 403,
  'not-found': 404,
  'method-not-allowed': 405,
  'not-acceptable': 406,
  conflict: 409,
  gone: 410,
  'payload-too-large': 413,
  'unsupported-media-type': 415,
  'headers-too-large': 431,
  quota: 429,
  internal: 500,
  'not-implemented': 501,
  'bad-gateway': 502,
  unavailable: 503,
  'gateway-timeout': 504,
}

/** What a ServiceError may carry beside its message. */
export interface ServiceErrorOptions {
  /** For the log only, never sent. */
  detail?: string
  cause?: unknown
  /** Response headers that belong to the error, e.g. `www-authenticate`, `retry-after`, `allow`. */
  headers?: Readonly<Record<string, string | string[]>>
}

/**
 * A failure that a client may be told about: `message` is safe for the wire, `detail` and `cause` go to the log.
 * The only kind of error services throw on purpose; anything else becomes a plain 500.
 */
export class ServiceError extends Error {
  readonly code: ErrorCode
  readonly detail: string | undefined
  readonly headers: Readonly<Record<string, string | string[]>> | undefined

  constructor(code: ErrorCode, message: string, options: ServiceErrorOptions = {}) {
    super(message, { cause: options.cause })
    this.name = 'ServiceError'
    this.code = code
    this.detail = options.detail
    this.headers = options.headers
  }

  /** HTTP status of this error. */
  get status(): number {
    return STATUS_OF[this.code]
  }
}

/** 400: the request is malformed or breaks a rule. */
export const badRequest = (message: string, options?: ServiceErrorOptions) =>
  new ServiceError('bad-request', message, options)
/** 401: who asks is not known. */
export const unauthorized = (message: string, options?: ServiceErrorOptions) =>
  new ServiceError('unauthorized', message, options)
/** 403: who asks may not. */
export const forbidden = (message: string, options?: ServiceErrorOptions) =>
  new ServiceError('forbidden', message, options)
/** 404: what is asked about does not exist. */
export const notFound = (message: string, options?: ServiceErrorOptions) =>
  new ServiceError('not-found', message, options)
/** 409: resource ownership, or store contention that retries did not resolve. */
export const conflict = (message: string, options?: ServiceErrorOptions) =>
  new ServiceError('conflict', message, options)
/** 429: a quota or a rate limit is exceeded. */
export const quotaExceeded = (message: string, options?: ServiceErrorOptions) =>
  new ServiceError('quota', message, options)
