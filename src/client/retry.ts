import { codeOf } from '#core/http/connection-failure.ts'
import { AthenzClientError } from './client-error.ts'

/** How often, and after what time, a call is repeated. */
export interface RetryOptions {
  /** Repetitions after the first try; 2 unless given, 0 for none. */
  readonly retries?: number
  /** Longest pause before the first repetition; it doubles with each further one. 200 ms unless given. */
  readonly retryDelayMillis?: number
}

const RETRIES = 2
const RETRY_DELAY_MILLIS = 200
/** No pause is longer; a server that wants more time than that is given up. */
const PAUSE_MAX_MILLIS = 10_000
/** Statuses with which servers, and what is in front of them, say that they cannot answer now. */
const PASSING_STATUSES: ReadonlySet<number> = new Set([429, 502, 503, 504])
/** Failures before anything was sent. */
const UNSENT_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])

/** One failed try. */
export interface FailedTry {
  readonly error: unknown
  /** 1 for the first. */
  readonly tries: number
  /** The operation changes nothing, so that it may be repeated even when the server has carried it out. */
  readonly harmless: boolean
}

/**
 * The pause before the next try in milliseconds, or undefined when there is to be none. Pauses are random up to their
 * limit, so that clients which failed together do not come back together.
 */
export function pauseBeforeRetry(failed: FailedTry, options: RetryOptions, random: () => number): number | undefined {
  const { error, tries, harmless } = failed
  const { retries = RETRIES, retryDelayMillis = RETRY_DELAY_MILLIS } = options
  if (tries > retries || !(error instanceof AthenzClientError) || !isPassing(error, harmless)) return undefined
  const wanted = (error.retryAfterSeconds ?? 0) * 1000
  if (wanted > PAUSE_MAX_MILLIS) return undefined
  const pause = random() * Math.min(retryDelayMillis * 2 ** (tries - 1), PAUSE_MAX_MILLIS)
  return Math.max(pause, wanted)
}

function isPassing({ kind, status, cause }: AthenzClientError, harmless: boolean): boolean {
  // Of these requests the server has done nothing.
  if (status === 429 || (kind === 'unreachable' && UNSENT_CODES.has(codeOf(cause) ?? ''))) return true
  return harmless && (kind === 'unreachable' || PASSING_STATUSES.has(status ?? 0))
}
