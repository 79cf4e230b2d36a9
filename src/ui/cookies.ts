/** Lives as long as the browser, or as long as it says. */
export interface CookieLife {
  readonly maxAgeSeconds: number
}

/**
 * A cookie of this page alone. `__Host-` in front of the name has browsers refuse it from other hosts and without TLS
 * (RFC 6265bis, 4.1.3.2); scripts cannot read it, and requests that other sites cause do not carry it.
 */
export const setCookie = (name: string, value: string, { maxAgeSeconds }: CookieLife): string =>
  `__Host-${name}=${encodeURIComponent(value)}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=${maxAgeSeconds}`

/** Has the browser forget a cookie. */
export const endCookie = (name: string): string => setCookie(name, '', { maxAgeSeconds: 0 })

/** The value of a cookie that {@link setCookie} wrote; undefined when there is none. */
export function readCookie(header: string | undefined, name: string): string | undefined {
  for (const pair of (header ?? '').split(';')) {
    const equals = pair.indexOf('=')
    if (equals === -1 || pair.slice(0, equals).trim() !== `__Host-${name}`) continue
    return decoded(pair.slice(equals + 1).trim()) || undefined
  }
  return undefined
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
