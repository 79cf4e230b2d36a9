import type { HeaderValues } from '#core/http/errors.ts'

/**
 * Headers of every page: nothing of other sites is loaded, nothing inline runs, nobody may show the page in a frame, and
 * neither browsers nor proxies keep it.
 */
export const SECURITY_HEADERS: HeaderValues = {
  'content-security-policy': contentPolicy(),
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  // Not `no-referrer`: browsers would then send forms with the origin `null`.
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'cache-control': 'no-store',
}

/** What the scripts of a page may do; they may ask the page itself, and another server where one is given. */
export function contentPolicy(server = ''): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    `connect-src 'self' ${server}`.trim(),
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

/** What a browser says of where a request comes from. */
export interface RequestSource {
  readonly origin: string | undefined
  readonly secFetchSite: string | undefined
}

/**
 * Whether a form was sent from this page itself: by its `Origin`, or, where the browser does not give that, by
 * `Sec-Fetch-Site`. Without either it is not.
 */
export function isSameOrigin({ origin, secFetchSite }: RequestSource, own: string): boolean {
  if (secFetchSite !== undefined && secFetchSite !== 'same-origin') return false
  if (origin !== undefined && origin !== 'null') return origin.toLowerCase() === own.toLowerCase()
  return secFetchSite === 'same-origin'
}
