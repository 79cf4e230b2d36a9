import { type JsonClient, textMember } from './json-client.ts'

/**
 * Where the keys of a token issuer are: its metadata document says so, which lies below the issuer and must name that very
 * issuer (OpenID Connect Discovery 1.0, 4). Rejects with an Error that says what is wrong; keys of a protected issuer that
 * are not protected are refused.
 */
export async function discoverKeySet(issuer: string, client: Pick<JsonClient, 'ask'>): Promise<URL> {
  if (httpUrl(issuer) === undefined) throw new Error(`the issuer ${issuer} is no URL`)
  const address = new URL(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)
  const { status, value } = await client.ask(address)
  if (status !== 200) throw new Error(`${address.href} answered with status ${status}`)
  if (textMember(value, 'issuer') !== issuer) throw new Error(`${address.href} is about another issuer`)
  const keys = httpUrl(textMember(value, 'jwks_uri') ?? '')
  if (keys === undefined) throw new Error(`${address.href} names no address of keys`)
  if (address.protocol === 'https:' && keys.protocol !== 'https:') {
    throw new Error(`keys at ${keys.href} are not protected`)
  }
  return keys
}

/** The URL of HTTP that a text is, if it is one. */
export function httpUrl(text: string): URL | undefined {
  const url = URL.parse(text)
  return url !== null && (url.protocol === 'https:' || url.protocol === 'http:') ? url : undefined
}
