import { ConfigError } from '#core/config/config-error.ts'
import type { ConfigOf } from '#core/config/server-tables.ts'
import type { PrivateKeyStore } from '#core/crypto/private-key-store.ts'
import { messageOf } from '#core/error/message-of.ts'
import { JsonClient, textMember } from '#core/http/json-client.ts'
import { RemoteKeys } from '#core/http/remote-keys.ts'
import { audiencesOf, type JwtClaims, textClaim, verifyJwt } from '#core/token/json-web-token.ts'
import { type InstanceConfirmation, type InstanceProvider, ProviderRefusal } from '../instance-provider.ts'

type UserSettings = ConfigOf['zts']['userCert']

/** How an identity provider is asked about somebody. */
export interface IdentityProviderOptions {
  /** Prefix of the settings, for messages, e.g. `athenz.zts.user_cert.`. */
  readonly prefix: string
  readonly settings: Omit<UserSettings, 'userNameClaim'>
  /** Claim that names the person; `sub` when undefined. */
  readonly nameClaim: string | undefined
  /** What a claim may say of the person of a confirmation. */
  readonly namesOf: (confirmation: InstanceConfirmation) => readonly string[]
  readonly privateKeyStore: PrivateKeyStore
  /** Epoch milliseconds. */
  readonly now: () => number
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
}

/** What the sender got back from the identity provider by way of his browser. */
interface CallbackData {
  readonly code: string
  /** RFC 7636. */
  readonly codeVerifier: string | undefined
}

interface Endpoints {
  readonly token: URL
  readonly keys: URL
}

const NEVER_REFRESHED = 'certificates of people cannot be refreshed'
const FORM_MAX_LENGTH = 16_384

/**
 * Vouches for people: trades the authorization code that the sender got in his browser (RFC 6749, 4.1.3) for a token of
 * the identity provider, and compares who that token is about with the name in the request.
 */
export class IdentityProvider implements InstanceProvider {
  readonly svidTypes = 'x509'
  readonly inProcess = true
  readonly #options: IdentityProviderOptions
  readonly #client: JsonClient
  readonly #keys: RemoteKeys
  #endpoints: Promise<Endpoints> | undefined

  /** Throws a ConfigError that names the settings which are missing or cannot be used. */
  constructor(options: IdentityProviderOptions) {
    checkSettings(options)
    const { settings, now, log } = options
    this.#options = options
    this.#client = new JsonClient({
      connectTimeoutMillis: settings.connectTimeoutMillis,
      readTimeoutMillis: settings.readTimeoutMillis,
    })
    this.#keys = new RemoteKeys({
      client: this.#client,
      url: async () => (await this.#places()).keys,
      now,
      log,
    })
  }

  async confirmInstance(confirmation: InstanceConfirmation): Promise<InstanceConfirmation> {
    const data = readCallbackData(confirmation.attestationData)
    const tokens = await this.#trade(data)
    const names = this.#options.namesOf(confirmation)
    let reason = 'the identity provider gave no token'
    for (const token of tokens) {
      const refusal = await this.#judge(token, names)
      if (refusal === undefined) return { ...confirmation, attributes: {} }
      reason = refusal
    }
    throw new ProviderRefusal(reason)
  }

  refreshInstance(): Promise<InstanceConfirmation> {
    return Promise.reject(new ProviderRefusal(NEVER_REFRESHED))
  }

  close(): Promise<void> {
    return this.#client.close()
  }

  /** The tokens that the identity provider gives for a code: each of them may be the one that names the person. */
  async #trade({ code, codeVerifier }: CallbackData): Promise<readonly string[]> {
    const { settings, privateKeyStore } = this.#options
    const { idpClientSecretApp, idpClientSecretKeygroup, idpClientSecretKeyname } = settings
    const secret =
      idpClientSecretKeyname === undefined
        ? undefined
        : await privateKeyStore.applicationSecret(idpClientSecretApp, idpClientSecretKeygroup, idpClientSecretKeyname)
    if (secret === undefined && codeVerifier === undefined) {
      throw new ProviderRefusal('code_verifier is required, since no client secret is configured')
    }
    const form = {
      grant_type: 'authorization_code',
      client_id: settings.idpClientId ?? '',
      redirect_uri: settings.idpRedirectUri,
      code,
      ...(secret !== undefined && { client_secret: secret }),
      ...(codeVerifier !== undefined && { code_verifier: codeVerifier }),
    }
    const { token } = await this.#reached(this.#places())
    const { status, value } = await this.#reached(this.#client.ask(token, { body: { form } }))
    if (status !== 200) throw new ProviderRefusal(`the identity provider refuses the code with status ${status}`)
    return [textMember(value, 'access_token'), textMember(value, 'id_token')].filter((text) => text !== undefined)
  }

  /** Why a token does not vouch for any of the names; undefined when it does. */
  async #judge(token: string, names: readonly string[]): Promise<string | undefined> {
    const { settings, now, nameClaim = 'sub' } = this.#options
    const outcome = await verifyJwt(token, {
      keyOf: (header) => this.#keys.keyOf(header),
      nowSeconds: Math.floor(now() / 1000),
    })
    if (!outcome.ok) return `the token of the identity provider is refused: ${outcome.failure.reason}`
    const { claims } = outcome.token
    if (!audiencesOf(claims).includes(settings.idpAudience ?? '')) {
      return 'the token of the identity provider is for another audience'
    }
    return isOneOf(claims, nameClaim, names) ? undefined : 'the token of the identity provider is about somebody else'
  }

  #places(): Promise<Endpoints> {
    this.#endpoints ??= this.#findEndpoints().catch((error: unknown) => {
      // Asked again at the next occasion.
      this.#endpoints = undefined
      throw error
    })
    return this.#endpoints
  }

  async #findEndpoints(): Promise<Endpoints> {
    const { settings, prefix } = this.#options
    const { idpConfigEndpoint, idpTokenEndpoint, idpJwksEndpoint } = settings
    const described =
      idpConfigEndpoint === undefined ? undefined : (await this.#client.ask(new URL(idpConfigEndpoint))).value
    const endpoint = (configured: string | undefined, name: string): URL => {
      const text = configured ?? textMember(described, name)
      if (text === undefined || !URL.canParse(text)) throw new Error(`${prefix}idp_config_endpoint tells no ${name}`)
      const url = new URL(text)
      if (!isPrivate(url)) throw new Error(`${name} ${text} is reached without TLS`)
      return url
    }
    return { token: endpoint(idpTokenEndpoint, 'token_endpoint'), keys: endpoint(idpJwksEndpoint, 'jwks_uri') }
  }

  async #reached<T>(asking: Promise<T>): Promise<T> {
    try {
      return await asking
    } catch (cause) {
      const reason = messageOf(cause)
      this.#options.log('error', `identity provider of ${this.#options.prefix}: ${reason}`)
      throw Object.assign(new ProviderRefusal('the identity provider does not answer', 504), { cause })
    }
  }
}

const isOneOf = (claims: JwtClaims, claim: string, names: readonly string[]): boolean => {
  const value = textClaim(claims, claim)?.toLowerCase()
  return value !== undefined && names.includes(value)
}

/** The code of a query string as the browser was sent back with, and the verifier that the client has put behind it. */
function readCallbackData(text: string): CallbackData {
  const form = new URLSearchParams(text.length > FORM_MAX_LENGTH ? '' : text)
  const [code, ...otherCodes] = form.getAll('code')
  const [codeVerifier, ...otherVerifiers] = form.getAll('code_verifier')
  if (!code || otherCodes.length > 0 || otherVerifiers.length > 0) {
    throw new ProviderRefusal('the attestation data has no authorization code')
  }
  return { code, codeVerifier: codeVerifier || undefined }
}

/** With TLS, or within this machine. */
const isPrivate = ({ protocol, hostname }: URL): boolean =>
  protocol === 'https:' || hostname === 'localhost' || hostname === '127.0.0.1' || hostname === '[::1]'

function checkSettings({ prefix, settings }: IdentityProviderOptions): void {
  const problems: string[] = []
  const needs = (value: string | undefined, name: string, advice = '') => {
    if (value === undefined) problems.push(`${prefix}${name}: not set${advice}`)
  }
  needs(settings.idpClientId, 'idp_client_id')
  needs(settings.idpAudience, 'idp_audience')
  if (settings.idpConfigEndpoint === undefined) {
    const advice = `, and neither is ${prefix}idp_config_endpoint`
    needs(settings.idpTokenEndpoint, 'idp_token_endpoint', advice)
    needs(settings.idpJwksEndpoint, 'idp_jwks_endpoint', advice)
  }
  for (const [name, text] of [
    ['idp_config_endpoint', settings.idpConfigEndpoint],
    ['idp_token_endpoint', settings.idpTokenEndpoint],
    ['idp_jwks_endpoint', settings.idpJwksEndpoint],
  ] as const) {
    if (text !== undefined && !isPrivate(new URL(text)))
      problems.push(`${prefix}${name}: ${text} is reached without TLS`)
  }
  if (problems.length > 0) throw new ConfigError(problems)
}
