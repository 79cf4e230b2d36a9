import { createSecretKey, type KeyObject } from 'node:crypto'
import type { Authority } from '#core/authority/authority.ts'
import type { KeyStore } from '#core/authority/key-store.ts'
import type { Principal } from '#core/authority/principal.ts'
import { badRequest } from '#core/error/service-error.ts'
import { isName } from '#core/names/patterns.ts'
import { type PrincipalParts, splitPrincipalName } from '#core/names/principal-name.ts'
import {
  audiencesOf,
  type JsonWebToken,
  JWT_ALGORITHMS,
  type JwtClaims,
  type JwtHeader,
  type JwtOutcome,
  parseJwt,
  textClaim,
  timeClaim,
  verifyParsedJwt,
} from '#core/token/json-web-token.ts'
import type { ZtsDependencies } from './dependencies.ts'

/** What assertions are verified with. */
export type ClientAssertionDependencies = Pick<ZtsDependencies, 'issuers' | 'now'> & {
  readonly keyStore: KeyStore
  /** Domain of users; they do not authenticate with assertions. */
  readonly userDomain: string
}

/** An assertion that holds, and who made it. */
export interface VerifiedAssertion {
  readonly principal: Principal
  readonly claims: JwtClaims
}

/** What vouches for clients that send an assertion: the assertion itself. */
export const CLIENT_ASSERTION_AUTHORITY: Authority = {
  id: 'Auth-CLIENT-ASSERTION',
  credentialSource: 'request',
  allowAuthorization: true,
}

/** Type of the tokens that trade an identity for an access token; they need rules of their own. */
export const ID_JAG_TYPE = 'oauth-id-jag+jwt'

/** Algorithms of what services sign themselves: with a registered key, or with their shared secret. */
export const SERVICE_ALGORITHMS: ReadonlySet<string> = new Set([...JWT_ALGORITHMS, 'HS256', 'HS384', 'HS512'])
/** No other kind of token may pass as an assertion, least of all an access token that somebody else was shown. */
const TYPES = ['client-authentication+jwt', 'jwt', undefined]

/**
 * Services that authenticate to the token operation by a signed token (RFC 7523). It is signed by the service itself
 * (`iss` is `sub`), with a registered key or with its shared secret, or was issued by this server; it is meant for this
 * server (`aud`) and expires.
 */
export class ClientAssertions {
  readonly #deps: ClientAssertionDependencies

  constructor(deps: ClientAssertionDependencies) {
    this.#deps = deps
  }

  /** The service behind an assertion. Throws `bad-request` that says what is wrong with it. */
  async verify(text: string): Promise<VerifiedAssertion> {
    const parsed = parseJwt(text)
    if (!parsed.ok) throw refused(parsed.failure.reason)
    return this.verifyParsed(parsed.token)
  }

  /** As {@link ClientAssertions.verify}, for an assertion that was read before. */
  async verifyParsed(token: JsonWebToken): Promise<VerifiedAssertion> {
    const { issuers, userDomain, now } = this.#deps
    const { header, claims } = token
    const client = clientOf(claims)
    if (client === undefined) throw refused('the subject is not a service')
    if (client.domain === userDomain) throw refused('users do not authenticate with assertions')
    const issuer = textClaim(claims, 'iss')
    const own = issuer !== undefined && issuers.all.has(issuer)
    if (!own && issuer !== client.subject) throw refused('the issuer is neither the subject nor this server')
    if (!audiencesOf(claims).some((audience) => issuers.all.has(audience))) {
      throw refused('the audience is not this server')
    }
    const outcome: JwtOutcome = await verifyParsedJwt(token, {
      keyOf: () => (own ? this.#serverKey(header) : serviceKey(this.#deps.keyStore, header, client)),
      algorithms: SERVICE_ALGORITHMS,
      types: TYPES,
      nowSeconds: Math.floor(now() / 1000),
    })
    if (!outcome.ok) throw refused(outcome.failure.reason)
    return { principal: principalOf(client, claims), claims }
  }

  #serverKey({ kid }: JwtHeader): Promise<KeyObject | undefined> | undefined {
    return kid === undefined ? undefined : this.#deps.keyStore.publicKey('sys.auth', 'zts', kid)
  }
}

/** The key with which a service signs a token with that header; undefined when it is not known. */
export async function serviceKey(
  keyStore: KeyStore,
  { alg, kid }: JwtHeader,
  { domain, name }: PrincipalParts,
): Promise<KeyObject | undefined> {
  if (!alg.startsWith('HS')) return kid === undefined ? undefined : keyStore.publicKey(domain, name, kid)
  const secret = await keyStore.serviceSecret?.(domain, name)
  return secret === undefined ? undefined : createSecretKey(secret, 'utf8')
}

interface Client {
  /** As the assertion writes it. */
  readonly subject: string
  /** Lower case, like the name. */
  readonly domain: string
  readonly name: string
}

function clientOf(claims: JwtClaims): Client | undefined {
  const subject = textClaim(claims, 'sub')
  if (subject === undefined || !isName('ServiceName', subject)) return undefined
  const parts = splitPrincipalName(subject.toLowerCase())
  return parts && { subject, ...parts }
}

const principalOf = ({ domain, name }: Client, claims: JwtClaims): Principal => ({
  domain,
  name,
  fullName: `${domain}.${name}`,
  authority: CLIENT_ASSERTION_AUTHORITY,
  issueTimeSeconds: timeClaim(claims, 'iat') ?? 0,
})

const refused = (reason: string) => badRequest(`Invalid client assertion: ${reason}`)
