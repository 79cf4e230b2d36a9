import type { ConfigOf } from '#core/config/server-tables.ts'
import type { RequestContext } from '#core/http/endpoint.ts'

/** A browser asks again whether a page may use a method after this time (30 days). */
const MAX_AGE_SECONDS = 2_592_000
/** Entry of the list of origins that admits all. */
const ANY_ORIGIN = '*'

/** Which pages may ask for user tokens, and with which request headers. */
type CrossOriginSettings = Pick<ConfigOf['zms']['zms'], 'corsOriginList' | 'corsHeaderList'>

/**
 * Headers that let a browser hand an answer to the page that asked: for origins on the list or, without a list, for all
 * that are origins of the web. Request headers are allowed when every one of them is on the list.
 */
export function crossOriginHeaders(settings: CrossOriginSettings, context: RequestContext): Record<string, string> {
  const origin = context.header('origin')
  const requested = context.header('access-control-request-headers')
  return {
    ...readableBy(origin !== undefined && isAdmitted(settings, origin) ? origin : undefined),
    ...(requested !== undefined &&
      areAllowed(settings, requested) && { 'access-control-allow-headers': requested.trim() }),
  }
}

/** Headers that let a browser hand an answer to the pages of one origin, or of none. */
export const readableBy = (origin: string | undefined): Record<string, string> => ({
  vary: 'origin',
  ...(origin !== undefined && { 'access-control-allow-origin': origin }),
  'access-control-allow-credentials': 'true',
})

/** The same, and what else a browser wants to know before it asks. */
export const preflightHeaders = (settings: CrossOriginSettings, context: RequestContext): Record<string, string> => ({
  ...crossOriginHeaders(settings, context),
  'access-control-allow-methods': 'GET',
  'access-control-max-age': String(MAX_AGE_SECONDS),
})

function isAdmitted({ corsOriginList }: CrossOriginSettings, origin: string): boolean {
  if (corsOriginList.size > 0 && !corsOriginList.has(ANY_ORIGIN)) return corsOriginList.has(origin)
  return isWebOrigin(origin)
}

/** Whether the text is scheme, host and perhaps port of a web page, and nothing else. */
function isWebOrigin(text: string): boolean {
  const match = /^https?:\/\/(?:\[[\da-f:.]+\]|[a-z\d._-]+)(?::(\d{1,5}))?$/i.exec(text)
  return match !== null && Number(match[1] ?? 0) <= 65_535
}

function areAllowed({ corsHeaderList }: CrossOriginSettings, requested: string): boolean {
  const allowed = new Set(corsHeaderList.map((name) => name.toLowerCase()))
  return requested.split(',').every((name) => allowed.has(name.trim().toLowerCase()))
}
