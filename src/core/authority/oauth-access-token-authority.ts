import type { KeyObject, X509Certificate } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { JsonClient } from '#core/http/json-client.ts'
import { RemoteKeys } from '#core/http/remote-keys.ts'
import { credentialPrincipal } from '#core/names/credential-principal.ts'
import {
  audiencesOf,
  type JsonWebToken,
  type JwtHeader,
  textClaim,
  timeClaim,
  verifyJwt,
} from '#core/token/json-web-token.ts'
import type { AuthenticationResult, Authority, AuthorityContext, PropertyReader } from './authority.ts'
import { type AuthorizedClient, readAuthorizedClients } from './authorized-clients.ts'
import { bearerToken, certificateBinding, scopesOf } from './bearer-token.ts'
import { type CertificateIdentityRules, readCertificateIdentity } from './certificate-identity.ts'
import { readCertificateRules } from './certificate-rules.ts'
import { credentialReader } from './credential-header.ts'
import { openIssuerClient } from './issuer-client.ts'
import { PeerConnections } from './peer-connection.ts'
import { flagSetting, textSetting } from './setting.ts'

const PREFIX = 'athenz.auth.oauth.jwt.'
const PARSERS: readonly string[] = [
  'com.yahoo.athenz.auth.oauth.parser.DefaultOAuthJwtAccessTokenParserFactory',
  'com.yahoo.athenz.auth.oauth.auth0.Auth0JwtParserFactory',
]

interface Settings {
  readonly issuer: string
  readonly audiences: readonly string[]
  readonly scopes: readonly string[]
  readonly clientIdClaim: string
  readonly confirmationClaim: string
  readonly demandsBinding: boolean
  readonly certificateRules: CertificateIdentityRules
  readonly clients: ReadonlyMap<string, AuthorizedClient>
}

const readAuthorization = credentialReader('Authorization')

/**
 * Accepts access tokens of an OAuth server from clients that show the certificate which the token is bound to
 * (RFC 8705). The principal is the subject of the token; what it may do is limited by the service that acts for it.
 * Properties, all below `athenz.auth.oauth.jwt.`: `claim.iss`, `claim.aud`, `claim.scope`, `parser.jwks_url` (the keys of
 * this installation's ZTS when not set), `authorized_client_ids_path`, `verify_cert_thumbprint`,
 * `cert.excluded_principals`, `cert.exclude_role_certificates`, `authn_challenge_realm`, `auth0.claim_client_id`,
 * `auth0.claim_confirm`.
 */
export class OAuthAccessTokenAuthority implements Authority {
  readonly id = 'Auth-ID'
  readonly credentialSource = 'request'
  readonly allowAuthorization = true
  readonly #connections = new PeerConnections()
  #challenge = 'Bearer realm="athenz.io"'
  #context!: AuthorityContext
  #settings: Settings | undefined
  #client: JsonClient | undefined
  #remoteKeys: RemoteKeys | undefined

  get challenge(): string {
    return this.#challenge
  }

  async initialize(context: AuthorityContext): Promise<void> {
    const { property, now, log } = context
    this.#context = context
    const settings = await readSettings(property)
    const address = textSetting(property, `${PREFIX}parser.jwks_url`)
    if (address !== undefined) {
      const url = URL.parse(address)
      if (url?.protocol !== 'https:') throw new Error(`${PREFIX}parser.jwks_url: "${address}" is no https URL`)
      this.#client = await openIssuerClient(property)
      this.#remoteKeys = new RemoteKeys({
        client: this.#client,
        url,
        now,
        log: (level, message) => log(level, `OAuth server ${settings.issuer}: ${message}`),
      })
    }
    this.#settings = settings
    this.#challenge = `Bearer realm="${textSetting(property, `${PREFIX}authn_challenge_realm`, 'https://athenz.io')}"`
  }

  async authenticateRequest(request: IncomingMessage): Promise<AuthenticationResult> {
    const settings = this.#settings
    if (settings === undefined) throw new Error('OAuthCertBoundJwtAccessTokenAuthority is not initialized')
    const credential = readAuthorization(request)
    const text = credential === undefined ? undefined : bearerToken(credential)
    if (text === undefined) return null
    const certificate = this.#certificateOf(request)
    if (typeof certificate === 'string') return rejected(certificate)
    const identity = readCertificateIdentity(certificate, settings.certificateRules)
    if ('rejected' in identity) return rejected(identity.rejected)
    const presenter = `${identity.domain}.${identity.name}`
    const outcome = await verifyJwt(text, {
      keyOf: (header) => this.#keyOf(header),
      nowSeconds: Math.floor(this.#context.now() / 1000),
    })
    if (!outcome.ok) return rejected(`invalid token from ${presenter}: ${outcome.failure.reason}`)
    const { token } = outcome
    const client = settings.clients.get(presenter)
    const failure = claimFailure(token, settings, client) ?? bindingFailure(token, settings, certificate)
    if (failure !== undefined) return rejected(`invalid token from ${presenter}: ${failure}`)
    const subject = textClaim(token.claims, 'sub') ?? ''
    const parts = credentialPrincipal(subject)
    if (parts === undefined) return rejected(`invalid token from ${presenter}: the subject is no principal`)
    return {
      ...parts,
      fullName: `${parts.domain}.${parts.name}`,
      authority: this,
      credentials: text,
      unsignedCredentials: token.signingInput,
      issueTimeSeconds: timeClaim(token.claims, 'iat') ?? 0,
      applicationId: presenter,
      authorizedService: client?.service ?? presenter,
      x509Certificate: certificate,
      mtlsRestricted: identity.restricted,
    }
  }

  async close(): Promise<void> {
    await this.#client?.close()
  }

  #keyOf(header: JwtHeader): Promise<KeyObject | undefined> | undefined {
    if (this.#remoteKeys !== undefined) return this.#remoteKeys.keyOf(header)
    return header.kid === undefined ? undefined : this.#context.keyStore.publicKey('sys.auth', 'zts', header.kid)
  }

  #certificateOf({ socket }: IncomingMessage): X509Certificate | string {
    const { peer, refused, notAfterMillis } = this.#connections.of(socket)
    if (peer === undefined) return 'the client shows no certificate'
    if (refused !== undefined) return refused
    return this.#context.now() > notAfterMillis ? `client certificate expired ${peer.leaf.validTo}` : peer.leaf
  }
}

const rejected = (reason: string): AuthenticationResult => ({
  rejected: `OAuthCertBoundJwtAccessTokenAuthority:authenticate: ${reason}`,
})

function claimFailure(
  { claims }: JsonWebToken,
  { issuer, audiences, scopes, clientIdClaim }: Settings,
  client: AuthorizedClient | undefined,
): string | undefined {
  if (textClaim(claims, 'iss') !== issuer) return 'it is of another issuer'
  const given = audiencesOf(claims)
  if (!audiences.every((audience) => given.includes(audience))) return 'it is for another audience'
  const granted = scopesOf(claims)
  if (!scopes.every((scope) => granted.includes(scope))) return 'a scope is missing'
  const clientId = textClaim(claims, clientIdClaim)
  if (clientId === undefined) return `it has no claim ${clientIdClaim}`
  return client?.clientIds.has(clientId) ? undefined : 'its client does not belong to the certificate'
}

function bindingFailure(
  { claims }: JsonWebToken,
  { demandsBinding, confirmationClaim }: Settings,
  certificate: X509Certificate,
): string | undefined {
  if (!demandsBinding) return undefined
  const binding = certificateBinding(claims, certificate, confirmationClaim)
  return binding === 'bound' ? undefined : 'it is not bound to the certificate'
}

async function readSettings(property: PropertyReader): Promise<Settings> {
  const parser = textSetting(property, `${PREFIX}parser_factory_class`)
  if (parser !== undefined && !PARSERS.includes(parser)) {
    throw new Error(`${PREFIX}parser_factory_class: "${parser}" is none of ${PARSERS.join(', ')}`)
  }
  const issuer = textSetting(property, `${PREFIX}claim.iss`, 'https://athenz.io')
  return {
    issuer,
    audiences: requiredList(property, `${PREFIX}claim.aud`, 'https://zms.athenz.io'),
    scopes: requiredList(property, `${PREFIX}claim.scope`, 'sys.auth:role.admin'),
    clientIdClaim: textSetting(property, `${PREFIX}auth0.claim_client_id`, 'client_id'),
    confirmationClaim: textSetting(property, `${PREFIX}auth0.claim_confirm`, 'cnf'),
    demandsBinding: flagSetting(property, `${PREFIX}verify_cert_thumbprint`, true),
    certificateRules: readCertificateRules(property, `${PREFIX}cert`),
    clients: await clientsOf(property),
  }
}

/** Entries between commas or blanks, as the setting of the original has them. */
function requiredList(property: PropertyReader, name: string, whenAbsent: string): readonly string[] {
  return textSetting(property, name, whenAbsent)
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
}

/** Without the file no client could present any token, which nobody wants. */
async function clientsOf(property: PropertyReader): Promise<ReadonlyMap<string, AuthorizedClient>> {
  const name = `${PREFIX}authorized_client_ids_path`
  const file = textSetting(property, name)
  if (file === undefined) throw new Error(`${name} is not set, so that no client would be accepted`)
  try {
    return await readAuthorizedClients(file)
  } catch (cause) {
    throw new Error(`${name}: ${(cause as Error).message}`, { cause })
  }
}
