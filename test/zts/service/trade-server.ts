import { generateKeyPairSync, type KeyObject, type X509Certificate } from 'node:crypto'
import { SignJWT } from 'jose'
import type { JwtClaims } from '#core/token/json-web-token.ts'
import { accessTokenService } from '#zts/service/access-token.ts'
import { ForeignIssuers, PLAIN_PROVIDER } from '#zts/service/foreign-issuers.ts'
import { idTokenService } from '#zts/service/id-token.ts'
import { tokenExchange } from '#zts/service/token-exchange.ts'
import type { DomainJson } from '../../support/zts-domains.ts'
import { type Answer, type CallOptions, Harness, type HarnessOptions, START_MILLIS, TEST_KEY } from './harness.ts'
import { ISSUER, OPENID_ISSUER, tokenParts } from './token-parts.ts'

export { readToken } from './token-parts.ts'

const URN = 'urn:ietf:params:oauth'
/** Names of kinds of tokens. */
export const ACCESS_TOKEN = `${URN}:token-type:access_token`
export const ID_TOKEN = `${URN}:token-type:id_token`
export const JAG = `${URN}:token-type:id-jag`
export const JWT = `${URN}:token-type:jwt`

/** Epoch seconds at which the clock of a server stands. */
export const START = START_MILLIS / 1000

/** A foreign issuer with a key of its own. */
export const FOREIGN_ISSUER = 'https://login.example.org'
const foreign = generateKeyPairSync('ec', { namedCurve: 'P-256' })

const role = (domain: string, name: string, ...members: readonly string[]) => ({
  name: `${domain}:role.${name}`,
  roleMembers: members.map((memberName) => ({ memberName })),
})
const policy = (domain: string, name: string, ...assertions: readonly [string, string, string, string?][]) => ({
  name: `${domain}:policy.${name}`,
  active: true,
  assertions: assertions.map(([by, action, resource, effect = 'ALLOW']) => ({
    role: `${domain}:role.${by}`,
    action,
    resource,
    effect,
  })),
})

/**
 * Two domains: `front` of the domain `home` may exchange tokens of `home` for tokens of `away`, and id tokens and grants
 * for it. Nobody else may.
 */
export const TRADE_DOMAINS: readonly DomainJson[] = [
  {
    name: 'home',
    services: [{ name: 'home.front', clientId: 'front-client' }, { name: 'home.back' }],
    roles: [
      role('home', 'reader', 'user.alice', 'home.front'),
      role('home', 'writer', 'user.alice'),
      role('home', 'exchangers', 'home.front'),
    ],
    policies: [policy('home', 'source', ['exchangers', 'zts.token_source_exchange', 'home:away'])],
  },
  {
    name: 'away',
    services: [{ name: 'away.api' }],
    roles: [
      role('away', 'reader', 'user.alice', 'home.svc', 'home:ext.pat@example.org'),
      role('away', 'super-reader', 'user.alice'),
      role('away', 'writer', 'user.bob'),
      { ...role('away', 'limited', 'user.alice'), tokenExpiryMins: 5 },
      role('away', 'unruly', 'user.alice'),
      role('away', 'exchangers', 'home.front', 'home.back'),
      role('away', 'people', 'user.alice'),
    ],
    policies: [
      policy(
        'away',
        'target',
        ['exchangers', 'zts.token_target_exchange', 'away:home:role.reader'],
        ['exchangers', 'zts.token_target_exchange', 'away:home:role.writer'],
        ['exchangers', 'zts.token_target_exchange', 'away:home:role.super-reader'],
        ['exchangers', 'zts.token_target_exchange', 'away:home:role.limited'],
        ['exchangers', 'zts.id_token_exchange', 'away:principal.user.alice'],
        ['people', 'zts.id_token_exchange', 'away:role.reader'],
        ['exchangers', 'zts.jag_exchange', 'away:role.reader'],
        ['exchangers', 'zts.jag_exchange', 'away:role.limited'],
      ),
    ],
  },
]

/** How a token of a test differs from a good one. */
export interface TokenOptions {
  readonly key?: KeyObject
  readonly alg?: string
  readonly kid?: string | undefined
  readonly typ?: string
}

/** A server with the token operation and id tokens, and a foreign issuer that it knows. */
export class TradeServer {
  readonly harness: Harness

  private constructor(harness: Harness) {
    this.harness = harness
  }

  static async open(options: Partial<HarnessOptions> & { foreignIssuers?: ForeignIssuers } = {}): Promise<TradeServer> {
    const keys = { keyOf: ({ kid }: { kid?: string }) => Promise.resolve(kid === 'f' ? foreign.publicKey : undefined) }
    const known = new ForeignIssuers(new Map([[FOREIGN_ISSUER, { keys, provider: PLAIN_PROVIDER }]]))
    const { foreignIssuers = known, ...rest } = options
    const harness = await Harness.open({
      domains: TRADE_DOMAINS,
      ...rest,
      properties: { oauth_issuer: ISSUER, openid_issuer: OPENID_ISSUER, ...options.properties },
      services: [
        (own) => {
          const all = { ...own, ...tokenParts(own), foreignIssuers }
          return { ...accessTokenService(all, tokenExchange(all)), ...idTokenService(all) }
        },
      ],
    })
    return new TradeServer(harness)
  }

  /** Sends a form to the token operation; members without a value are left out. */
  ask(
    form: Readonly<Record<string, string | undefined>>,
    options: CallOptions = { as: 'home.front' },
  ): Promise<Answer> {
    const given = Object.entries(form).filter((entry): entry is [string, string] => entry[1] !== undefined)
    return this.harness.post('/oauth2/token', new URLSearchParams(given).toString(), options)
  }

  /** An access token that the server gives somebody. */
  async accessToken(as: string, scope: string, form: Readonly<Record<string, string>> = {}): Promise<string> {
    const answer = await this.ask({ grant_type: 'client_credentials', scope, ...form }, { as })
    if (answer.status !== 200) throw new Error(JSON.stringify(answer.body))
    return String(answer.body.access_token)
  }

  /** An id token that the server gives somebody for a service. */
  async idToken(as: string, clientId: string): Promise<string> {
    const query = new URLSearchParams({
      response_type: 'id_token',
      client_id: clientId,
      nonce: 'n',
      scope: 'openid',
      output: 'json',
    })
    const answer = await this.harness.get(`/oauth2/auth?${query.toString()}`, { as })
    if (answer.status !== 200) throw new Error(JSON.stringify(answer.body))
    return String(answer.body.id_token)
  }
}

/** A token signed with the key of the server, whatever it says. */
export const ownToken = (claims: JwtClaims, options: TokenOptions = {}): Promise<string> =>
  signed({ iss: ISSUER, ...claims }, { key: TEST_KEY, kid: 'ec0', ...options })

/** A token signed with the key of the foreign issuer. */
export const foreignToken = (claims: JwtClaims, options: TokenOptions = {}): Promise<string> =>
  signed({ iss: FOREIGN_ISSUER, ...claims }, { key: foreign.privateKey, kid: 'f', ...options })

function signed(claims: JwtClaims, { key, alg = 'ES256', kid, typ }: TokenOptions): Promise<string> {
  if (key === undefined) throw new Error('no key')
  const header = { alg, ...(kid !== undefined && { kid }), ...(typ !== undefined && { typ }) }
  return new SignJWT({ iat: START, exp: START + 600, ...claims }).setProtectedHeader(header).sign(key)
}

/** Stands for the certificate that a caller came with; only its bytes matter. */
export const CERTIFICATE = { raw: Buffer.from('certificate') } as X509Certificate
