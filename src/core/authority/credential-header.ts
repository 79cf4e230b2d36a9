import type { IncomingMessage } from 'node:http'

/** Takes the credential out of a request; undefined when there is none. An empty header is a credential. */
export type CredentialReader = (request: IncomingMessage) => string | undefined

const COOKIE_PREFIX = 'Cookie.'

/** The reader for the header that an authority names; `Cookie.{name}` stands for the cookie of that name. */
export function credentialReader(header: string): CredentialReader {
  if (header.startsWith(COOKIE_PREFIX)) {
    const name = header.slice(COOKIE_PREFIX.length)
    return ({ headers }) => (headers.cookie === undefined ? undefined : cookieValue(headers.cookie, name))
  }
  const name = header.toLowerCase()
  return (request) => (request.headers[name] === undefined ? undefined : firstValue(request.rawHeaders, name))
}

/** Value of the first header line of this name; Node joins several to one text that no client has sent. */
function firstValue(rawHeaders: readonly string[], name: string): string | undefined {
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() === name) return rawHeaders[index + 1]
  }
  return undefined
}

/** Value of the first cookie of this name, without the quotes that may be around it (RFC 6265, 4.1.1). */
function cookieValue(cookies: string, name: string): string | undefined {
  for (const pair of cookies.split(';')) {
    const equals = pair.indexOf('=')
    if (equals === -1 || pair.slice(0, equals).trim() !== name) continue
    const value = pair.slice(equals + 1).trim()
    return value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value
  }
  return undefined
}
