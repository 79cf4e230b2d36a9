import type { RequestContext } from './endpoint.ts'
import type { Patience } from './waiting-room.ts'

/** One preference of a Prefer header: a token, and a value that is a token or a quoted text (RFC 7240, section 2). */
const PREFERENCE = /^\s*([!#$%&'*+.^_`|~\w-]+)\s*(?:=\s*(?:"([^"]*)"|([!#$%&'*+.^_`|~\w-]+))?\s*)?(?:;.*)?$/
/** Longer headers are not looked at. */
const HEADER_MAX_LENGTH = 1024

/**
 * Seconds that a client is willing to wait for an answer: the preference `wait` of a Prefer header (RFC 7240, section
 * 4.3). The first one counts; undefined when there is none or it is no whole number of seconds.
 */
export function preferredWaitSeconds(header: string | undefined): number | undefined {
  if (header === undefined || header.length > HEADER_MAX_LENGTH) return undefined
  for (const preference of header.split(',')) {
    const [, name, quoted, plain] = PREFERENCE.exec(preference) ?? []
    if (name?.toLowerCase() !== 'wait') continue
    const value = quoted ?? plain ?? ''
    return /^\d{1,9}$/.test(value) ? Number(value) : undefined
  }
  return undefined
}

/** Longest time that an answer is held back, whatever the client prefers. */
const MAX_WAIT_SECONDS = 60

/** Header of answers that were held back. */
export const PREFERENCE_APPLIED = { 'preference-applied': 'wait' } as const

/** How long the client prefers to wait, within bounds; undefined when it does not. */
export function patienceOf(context: Pick<RequestContext, 'header' | 'signal' | 'mayWait'>): Patience | undefined {
  const seconds = preferredWaitSeconds(context.header('prefer'))
  if (seconds === undefined) return undefined
  context.mayWait?.()
  return { millis: Math.min(seconds, MAX_WAIT_SECONDS) * 1000, signal: context.signal }
}
