import { createSecretKey, type KeyObject } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { credentialPrincipal } from '#core/names/credential-principal.ts'
import { isName } from '#core/names/patterns.ts'
import {
  audiencesOf,
  type JsonWebToken,
  JWT_ALGORITHMS,
  type JwtClaims,
  type JwtHeader,
  parseJwt,
  textClaim,
  timeClaim,
  verifyParsedJwt,
} from '#core/token/json-web-token.ts'
import type { AuthenticationResult, Authority, AuthorityContext } from './authority.ts'
import { bearerToken, certificateBinding, scopesOf } from './bearer-token.ts'
import { credentialReader } from './credential-header.ts'
import { PeerConnections } from './peer-connection.ts'
import { textSetting } from './setting.ts'

const ISSUER_PROPERTY = 'athenz.auth.access_token.oauth_issuer'
/** What ZTS calls its access tokens; its id tokens, signed with the same key, are for other ears. */
const ACCESS_TOKEN_TYPES = ['at+jwt']
/** Libraries call a token that somebody signs himself `JWT` or nothing at all. */
const OWN_TOKEN_TYPES = ['jwt', 'at+jwt', undefined]
const OWN_ALGORITHMS: ReadonlySet<string> = new Set([...JWT_ALGORITHMS, 'HS256', 'HS384', 'HS512'])

/** Who a token is about, and for whom; none of it is verified. */
interface Claimed {
  readonly issuer: string
  readonly subject: string
  /** Lower case, like the name. */
  readonly domain: string
  readonly name: string
  /** The first one. */
  readonly audience: string
}

const readAuthorization = credentialReader('Authorization')

/**
 * Accepts access tokens as credentials: those of the ZTS server, which give roles in the domain of their audience, and
 * those that a service signs itself, with a registered key or its shared secret, which give the service. A token that is
 * bound to a certificate counts with that client certificate only. Property: `athenz.auth.access_token.oauth_issuer`,
 * issuer of the former and audience of the latter.
 */
export class ServiceAccessTokenAuthority implements Authority {
  readonly id = 'Auth-SvcAccessToken'
  readonly credentialSource = 'request'
  readonly challenge = 'Basic realm="athenz"'
  readonly allowAuthorization = true
  readonly #connections = new PeerConnections()
  #context!: AuthorityContext
  #issuer = 'https://athenz.io'

  initialize(context: AuthorityContext): void {
    this.#context = context
    this.#issuer = textSetting(context.property, ISSUER_PROPERTY, this.#issuer)
  }

  async authenticateRequest(request: IncomingMessage): Promise<AuthenticationResult> {
    const credential = readAuthorization(request)
    if (credential === undefined) return null
    const text = bearerToken(credential)
    if (text === undefined) return rejected("credentials do not start with 'Bearer '")
    const parsed = parseJwt(text)
    if (!parsed.ok) return rejected(`invalid token: ${parsed.failure.reason}`)
    const { token } = parsed
    const claimed = claimedBy(token.claims)
    if (typeof claimed === 'string') return rejected(`invalid token: ${claimed}`)
    const isFromServer = claimed.issuer === this.#issuer
    const failure = await (isFromServer ? this.#checkServerToken(token) : this.#checkOwnToken(token, claimed))
    if (failure !== undefined) return rejected(`invalid token of ${claimed.subject}: ${failure}`)
    const { peer, refused } = this.#connections.of(request.socket)
    const certificate = refused === undefined ? peer?.leaf : undefined
    if (certificateBinding(token.claims, certificate) === 'bound-to-another') {
      return rejected(`invalid token of ${claimed.subject}: it is bound to a certificate that the client has not shown`)
    }
    return isFromServer ? this.#rolePrincipal(token, text, claimed) : this.#servicePrincipal(token, text, claimed)
  }

  async #checkServerToken(token: JsonWebToken): Promise<string | undefined> {
    const outcome = await verifyParsedJwt(token, {
      keyOf: ({ kid }) => (kid === undefined ? undefined : this.#context.keyStore.publicKey('sys.auth', 'zts', kid)),
      types: ACCESS_TOKEN_TYPES,
      nowSeconds: this.#nowSeconds(),
    })
    return outcome.ok ? undefined : outcome.failure.reason
  }

  async #checkOwnToken(token: JsonWebToken, claimed: Claimed): Promise<string | undefined> {
    if (claimed.issuer !== claimed.subject) return 'the issuer is neither ZTS nor the subject'
    if (claimed.audience !== this.#issuer) return 'the audience is not this server'
    const outcome = await verifyParsedJwt(token, {
      keyOf: (header) => this.#keyOfService(header, claimed),
      algorithms: OWN_ALGORITHMS,
      types: OWN_TOKEN_TYPES,
      nowSeconds: this.#nowSeconds(),
    })
    return outcome.ok ? undefined : outcome.failure.reason
  }

  async #keyOfService({ alg, kid }: JwtHeader, { domain, name }: Claimed): Promise<KeyObject | undefined> {
    const { keyStore } = this.#context
    if (!alg.startsWith('HS')) return kid === undefined ? undefined : keyStore.publicKey(domain, name, kid)
    const secret = await keyStore.serviceSecret?.(domain, name)
    return secret === undefined ? undefined : createSecretKey(secret, 'utf8')
  }

  #rolePrincipal(token: JsonWebToken, text: string, claimed: Claimed): AuthenticationResult {
    const domain = claimed.audience.toLowerCase()
    if (!isName('DomainName', domain)) return rejected(`invalid token of ${claimed.subject}: the audience is no domain`)
    const roles = scopesOf(token.claims)
    if (roles.length === 0) return rejected(`invalid token of ${claimed.subject}: it gives no roles`)
    return {
      domain,
      fullName: domain,
      authority: this,
      ...documentOf(token, text),
      roles,
      rolePrincipalName: `${claimed.domain}.${claimed.name}`,
    }
  }

  #servicePrincipal(token: JsonWebToken, text: string, { domain, name }: Claimed): AuthenticationResult {
    return { domain, name, fullName: `${domain}.${name}`, authority: this, ...documentOf(token, text) }
  }

  #nowSeconds(): number {
    return Math.floor(this.#context.now() / 1000)
  }
}

const rejected = (reason: string): AuthenticationResult => ({
  rejected: `AccessTokenAuthority:authenticate: ${reason}`,
})

const documentOf = ({ header, claims, signingInput }: JsonWebToken, text: string) => ({
  credentials: text,
  unsignedCredentials: signingInput,
  issueTimeSeconds: timeClaim(claims, 'iat') ?? 0,
  ...(header.kid !== undefined && { keyId: header.kid }),
})

function claimedBy(claims: JwtClaims): Claimed | string {
  const issuer = textClaim(claims, 'iss')
  const subject = textClaim(claims, 'sub')
  const [audience] = audiencesOf(claims)
  if (!issuer) return 'it names no issuer'
  if (!audience) return 'it names no audience'
  const parts = subject ? credentialPrincipal(subject) : undefined
  return subject && parts ? { issuer, subject, audience, ...parts } : 'the subject is no principal'
}
