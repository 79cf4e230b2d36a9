/** Why a call has no result. */
export type FailureKind =
  /** The server answered with an error; `status` says which. */
  | 'status'
  /** No connection, or one that broke. */
  | 'unreachable'
  /** The certificate of the server, or ours, is not accepted, or what is there speaks no TLS. */
  | 'untrusted'
  /** No whole answer in time. */
  | 'timeout'
  /** An answer that is not what the operation answers. */
  | 'invalid-reply'
  /** The call cannot be made: a value is missing or cannot be sent, a file with keys cannot be read. */
  | 'invalid-request'

/** What a failure is made of besides its words. */
export interface FailureDetails {
  readonly kind: FailureKind
  /** Published code of the error; the HTTP status unless the body has one, and 400 where there was no answer. */
  readonly code?: number
  readonly status?: number
  readonly operation?: string
  readonly requestId?: string
  readonly retryAfterSeconds?: number
  readonly cause?: unknown
}

/** Code of failures that no server answered with, as clients of the original report them. */
const OTHER_FAILURE_CODE = 400

/**
 * A call to ZMS or ZTS has no result. `code` and `message` are those of the server's answer where it gave one; `status`
 * is undefined where it gave none, and `cause` then has the reason.
 */
export class AthenzClientError extends Error {
  readonly kind: FailureKind
  readonly code: number
  readonly status: number | undefined
  /** Operation that was called, e.g. `getRole`. */
  readonly operation: string | undefined
  /** The `X-Request-Id` that was sent; the server's log names it. */
  readonly requestId: string | undefined
  /** How long the server wants to be left alone, when it said so. */
  readonly retryAfterSeconds: number | undefined

  constructor(message: string, details: FailureDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'AthenzClientError'
    this.kind = details.kind
    this.code = details.code ?? details.status ?? OTHER_FAILURE_CODE
    this.status = details.status
    this.operation = details.operation
    this.requestId = details.requestId
    this.retryAfterSeconds = details.retryAfterSeconds
  }
}

/** A call that cannot be made. */
export const invalidRequest = (message: string, cause?: unknown): AthenzClientError =>
  new AthenzClientError(message, { kind: 'invalid-request', cause })
