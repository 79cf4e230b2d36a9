import { generateKeyPairSync } from 'node:crypto'
import { publicKeyPem } from '#core/crypto/keys.ts'
import { encodeYBase64 } from '#core/crypto/ybase64.ts'
import { type JwtClaims, type JwtHeader, parseJwt } from '#core/token/json-web-token.ts'
import type { TokenTrades } from '#zts/service/access-token.ts'
import { accessTokenService } from '#zts/service/access-token.ts'
import type { TokenRequest } from '#zts/service/access-token-request.ts'
import { AuthorizationDetails } from '#zts/service/authorization-details.ts'
import { CertificateBinding } from '#zts/service/certificate-binding.ts'
import type { ZtsDependencies } from '#zts/service/dependencies.ts'
import { introspectService } from '#zts/service/introspect.ts'
import { Issuers } from '#zts/service/issuers.ts'
import { keysService } from '#zts/service/keys.ts'
import { metadataDocumentsService } from '#zts/service/metadata-documents.ts'
import { PrincipalIssuers } from '#zts/service/principal-issuers.ts'
import { PublishedKeys } from '#zts/service/published-keys.ts'
import { roleTokenService } from '#zts/service/role-token.ts'
import { ServiceKeyStore } from '#zts/service/service-key-store.ts'
import { type Answer, type CallOptions, Harness, type HarnessOptions, type HarnessParts } from './harness.ts'

/** Parts of a server that tokens need beside those of every harness. */
export type TokenParts = Pick<
  ZtsDependencies,
  'authorizationDetails' | 'certificateBinding' | 'issuers' | 'keyStore' | 'principalIssuers' | 'publishedKeys'
>

/** Issuer of the tokens of a test. */
export const ISSUER = 'https://zts.example.com/zts/v1'
/** Issuer of its id tokens. */
export const OPENID_ISSUER = 'https://id.example.com/zts/v1'

const NO_KEYS = { zmsPublicKeys: new Map(), ztsPublicKeys: new Map() }

/** The parts as a server without files makes them of its configuration. */
export function tokenParts(parts: HarnessParts, replaced: Partial<TokenParts> = {}): TokenParts {
  const { config, domains, signers } = parts
  const { zts } = config
  const publishedKeys = new PublishedKeys({
    athenzConf: () => NO_KEYS,
    signers,
    domains,
    standardCurvesOnly: zts.jwkCurveRfcSupportOnly,
  })
  return {
    authorizationDetails: new AuthorizationDetails(zts.maxAuthzDetailsLength),
    certificateBinding: new CertificateBinding(),
    issuers: new Issuers({
      oauthIssuer: zts.oauthIssuer,
      openIdIssuer: zts.openidIssuer,
      oidcPortIssuer: zts.oidcPortIssuer,
      oidcPort: config.container.oidcPort,
      hostname: zts.hostname,
      byHost: new Map(),
    }),
    keyStore: new ServiceKeyStore({
      domains,
      serverKeys: () => publishedKeys,
      decryptCredentials: (creds) => creds.split('').toReversed().join(''),
    }),
    principalIssuers: new PrincipalIssuers(),
    publishedKeys,
    ...replaced,
  }
}

/** A trade that was asked for. */
export interface Trade {
  readonly name: keyof TokenTrades
  readonly request: TokenRequest
  readonly caller: string | undefined
}

/** What a server for tokens is opened with. */
export interface TokenServerOptions extends Omit<HarnessOptions, 'services'> {
  readonly tokenParts?: Partial<TokenParts>
}

/** The services for tokens in a harness. Trades of tokens are only noted. */
export class TokenServer {
  readonly harness: Harness
  readonly parts: HarnessParts & TokenParts
  readonly trades: Trade[]

  private constructor(harness: Harness, parts: TokenServer['parts'], trades: Trade[]) {
    this.harness = harness
    this.parts = parts
    this.trades = trades
  }

  static async open({ tokenParts: replaced, ...options }: TokenServerOptions): Promise<TokenServer> {
    let parts: TokenServer['parts'] | undefined
    const trades: Trade[] = []
    const trade =
      (name: keyof TokenTrades) =>
      async (request: TokenRequest, context: { principal?: { fullName: string } | undefined }) => {
        trades.push({ name, request, caller: context.principal?.fullName })
        return { status: 200, body: { token_type: name } }
      }
    const harness = await Harness.open({
      ...options,
      properties: { oauth_issuer: ISSUER, openid_issuer: OPENID_ISSUER, ...options.properties },
      services: [
        (own) => {
          const all = { ...own, ...tokenParts(own, replaced) }
          parts = all
          return {
            ...roleTokenService(all),
            ...introspectService(all),
            ...keysService(all),
            ...metadataDocumentsService(all),
            ...accessTokenService(all, {
              exchangeAccessToken: trade('exchangeAccessToken'),
              exchangeIdToken: trade('exchangeIdToken'),
              issueJag: trade('issueJag'),
              exchangeJag: trade('exchangeJag'),
            }),
          }
        },
      ],
    })
    return new TokenServer(harness, parts as TokenServer['parts'], trades)
  }

  /** Asks for a token; `client_credentials` unless the form says another grant. */
  ask(form: Readonly<Record<string, string>>, options?: CallOptions): Promise<Answer> {
    const fields = new URLSearchParams({ grant_type: 'client_credentials', ...form })
    return this.harness.post('/oauth2/token', fields.toString(), options)
  }

  /** Asks for an access token that must be granted, and gives what it says. */
  async claims(form: Readonly<Record<string, string>>, options?: CallOptions): Promise<JwtClaims> {
    return readToken(await this.ask(form, options)).claims
  }
}

/** Header and claims of a granted access token, or of the token in another member of the answer. */
export function readToken(answer: Answer, member = 'access_token'): { header: JwtHeader; claims: JwtClaims } {
  if (answer.status !== 200) throw new Error(`no token: ${JSON.stringify(answer.body)}`)
  const parsed = parseJwt(String(answer.body[member]))
  if (!parsed.ok) throw new Error(parsed.failure.reason)
  return parsed.token
}

/** A new key pair of a service: the private key, and its public key as ZMS has it. */
export function serviceKey(kind: 'ec' | 'rsa' = 'ec') {
  const { privateKey } =
    kind === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 })
  return { privateKey, registered: encodeYBase64(publicKeyPem(privateKey)) }
}
