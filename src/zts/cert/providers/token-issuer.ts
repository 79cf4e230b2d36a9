import { type JsonClient, textMember } from '#core/http/json-client.ts'
import { RemoteKeys } from '#core/http/remote-keys.ts'
import { audiencesOf, type JwtClaims, textClaim, verifyJwt } from '#core/token/json-web-token.ts'
import { ProviderRefusal } from '../instance-provider.ts'

/** Whose tokens a provider takes. */
export interface TokenIssuerOptions {
  /** As its tokens name it; any when undefined, since the keys alone tell whose they are. */
  readonly issuer: string | undefined
  readonly audience: string
  /** Where its keys are, or what finds out; found through the issuer when undefined. */
  readonly keySet: string | (() => Promise<URL>) | undefined
  readonly client: Pick<JsonClient, 'ask'>
  /** Epoch milliseconds. */
  readonly now: () => number
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
}

/** An OpenID issuer whose tokens prove who an instance is. */
export class TokenIssuer {
  readonly #options: TokenIssuerOptions
  readonly #keys: RemoteKeys

  constructor(options: TokenIssuerOptions) {
    this.#options = options
    const { client, now, log, keySet, issuer = '' } = options
    const found = keySet ?? (() => openIdAddress(client, configurationOf(issuer), 'jwks_uri'))
    const url = typeof found === 'string' ? new URL(found) : found
    this.#keys = new RemoteKeys({ client, now, log, url })
  }

  /** The claims of a token that is signed by the issuer, for us, and still good. @throws ProviderRefusal otherwise */
  async claims(token: string): Promise<JwtClaims> {
    const { issuer, audience, now } = this.#options
    const outcome = await verifyJwt(token, {
      keyOf: (header) => this.#keys.keyOf(header),
      nowSeconds: now() / 1000,
    })
    if (!outcome.ok) throw refused(`Unable to parse and validate token: ${outcome.failure.reason}`)
    const { claims } = outcome.token
    if (issuer !== undefined && textClaim(claims, 'iss') !== issuer)
      throw refused('token issuer is not the configured one')
    const audiences = audiencesOf(claims)
    if (audiences.length !== 1 || audiences[0] !== audience) throw refused('token audience is not ZTS Server audience')
    return claims
  }
}

/** What a request with a token that is not good is told. */
export const refused = (reason: string) => new ProviderRefusal(`Unable to validate Certificate Request: ${reason}`)

/** Where the OpenID configuration of an issuer is. */
export const configurationOf = (issuer: string): URL =>
  new URL(`${issuer.replace(/\/+$/, '')}/.well-known/openid-configuration`)

/** An address that an OpenID configuration names. @throws Error when it names none that can be trusted */
export async function openIdAddress(
  client: Pick<JsonClient, 'ask'>,
  configuration: URL,
  member: 'jwks_uri' | 'token_endpoint',
): Promise<URL> {
  const { status, value } = await client.ask(configuration)
  const address = status === 200 ? URL.parse(textMember(value, member) ?? '') : null
  if (address === null) throw new Error(`${configuration.href} names no ${member}`)
  // Whoever is on the way could put his own in its place.
  if (address.protocol !== 'https:' && configuration.protocol === 'https:') {
    throw new Error(`${member} of ${configuration.href} is not protected`)
  }
  return address
}
