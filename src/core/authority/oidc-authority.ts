import { wholePattern } from '#core/config/uri-list.ts'
import { discoverKeySet } from '#core/http/issuer-metadata.ts'
import type { JsonClient } from '#core/http/json-client.ts'
import { RemoteKeys } from '#core/http/remote-keys.ts'
import { isName } from '#core/names/patterns.ts'
import {
  audiencesOf,
  type JsonWebToken,
  type JwtClaims,
  parseJwt,
  textClaim,
  timeClaim,
  verifyParsedJwt,
} from '#core/token/json-web-token.ts'
import type { AuthenticationResult, Authority, AuthorityContext, PropertyReader } from './authority.ts'
import { bearerToken } from './bearer-token.ts'
import { openIssuerClient } from './issuer-client.ts'
import { textSetting } from './setting.ts'

const EMAIL_CLAIM = 'email'
/** Tokens about the end of a session and the like are signed with the same keys. */
const TYPES = ['jwt', 'at+jwt', 'id_token+jwt', undefined]

interface Settings {
  readonly issuer: string
  readonly audience: string
  /** End of accepted addresses, from its `@` or period on, lower case; empty where the claim is no address. */
  readonly emailEnd: string
  readonly claim: string
  readonly domain: string
  readonly name: string
  readonly userName: RegExp
}

/**
 * Accepts tokens that an OpenID provider gave a person. Properties, all below `athenz.auth.oidc`, or below the prefix that
 * a subclass gives for another provider: `issuer`, `audience`, `email_domain`, `claim_mapping`, `domain`, `name`,
 * `username_pattern`.
 */
export class OidcAuthority implements Authority {
  readonly credentialSource = 'header'
  readonly header = 'Authorization'
  readonly challenge = 'Bearer realm="athenz"'
  readonly allowAuthorization = true
  readonly #prefix: string
  #id = 'Auth-OIDC'
  #settings: Settings | undefined
  #now!: () => number
  #client: JsonClient | undefined
  #keys!: RemoteKeys

  constructor(prefix = 'athenz.auth.oidc') {
    this.#prefix = prefix
  }

  get id(): string {
    return this.#id
  }

  get domain(): string | undefined {
    return this.#settings?.domain
  }

  async initialize({ property, now, log }: AuthorityContext): Promise<void> {
    const settings = readSettings(property, this.#prefix)
    const { issuer, name } = settings
    const client = await openIssuerClient(property)
    const keys = new RemoteKeys({
      client,
      url: () => discoverKeySet(issuer, client),
      now,
      log: (level, message) => log(level, `OpenID provider ${issuer}: ${message}`),
    })
    try {
      await keys.load()
    } catch (cause) {
      await client.close()
      throw new Error(`the keys of ${issuer} cannot be read: ${(cause as Error).message}`, { cause })
    }
    this.#id = `Auth-OIDC-${name}`
    this.#settings = settings
    this.#now = now
    this.#client = client
    this.#keys = keys
  }

  async authenticateHeader(credential: string): Promise<AuthenticationResult> {
    const settings = this.#settings
    if (settings === undefined) throw new Error('OIDCAuthority is not initialized')
    const text = bearerToken(credential)
    if (text === undefined) return rejected("credentials do not start with 'Bearer '")
    const parsed = parseJwt(text)
    if (!parsed.ok) return rejected(`invalid token: ${parsed.failure.reason}`)
    const { token } = parsed
    // First of all: the keys of this issuer say nothing about the tokens of another one.
    if (textClaim(token.claims, 'iss') !== settings.issuer) return rejected('the token is of another issuer')
    const failure = await this.#check(token, settings)
    if (failure !== undefined) return rejected(`invalid token: ${failure}`)
    const name = userNameOf(token.claims, settings)
    if (typeof name !== 'string') return rejected(name.refused)
    const { domain } = settings
    return {
      domain,
      name,
      fullName: `${domain}.${name}`,
      authority: this,
      credentials: text,
      unsignedCredentials: token.signingInput,
      issueTimeSeconds: timeClaim(token.claims, 'iat') ?? 0,
    }
  }

  async close(): Promise<void> {
    await this.#client?.close()
  }

  async #check(token: JsonWebToken, { audience }: Settings): Promise<string | undefined> {
    const outcome = await verifyParsedJwt(token, {
      keyOf: (header) => this.#keys.keyOf(header),
      types: TYPES,
      nowSeconds: Math.floor(this.#now() / 1000),
    })
    if (!outcome.ok) return outcome.failure.reason
    return audiencesOf(token.claims).includes(audience) ? undefined : 'it is for another audience'
  }
}

const rejected = (reason: string): AuthenticationResult => ({ rejected: `OIDCAuthority:authenticate: ${reason}` })

function userNameOf(claims: JwtClaims, { claim, emailEnd, userName }: Settings): string | { refused: string } {
  const value = textClaim(claims, claim)?.toLowerCase()
  if (!value) return { refused: `the token has no claim ${claim}` }
  const name = claim === EMAIL_CLAIM ? localPart(claims, value, emailEnd) : value
  if (typeof name !== 'string') return name
  if (!userName.test(name)) return { refused: `${claim} does not give a user name of the configured pattern` }
  // Whatever the pattern allows: with a period or colon the name could be that of a service, role or group.
  return isName('SimpleName', name) ? name : { refused: `${claim} does not give a simple name` }
}

function localPart(claims: JwtClaims, email: string, emailEnd: string): string | { refused: string } {
  const verified: unknown = Object.hasOwn(claims, 'email_verified') ? claims['email_verified'] : true
  // Some providers write it as a text.
  if (verified !== true && verified !== 'true') return { refused: 'the e-mail address is not verified' }
  const at = email.indexOf('@')
  if (at <= 0 || at !== email.lastIndexOf('@')) return { refused: 'the e-mail address is none' }
  if (!email.slice(at).endsWith(emailEnd)) return { refused: 'the e-mail address is of another domain' }
  return email.slice(0, at)
}

function readSettings(property: PropertyReader, prefix: string): Settings {
  const required = (name: string): string => {
    const value = textSetting(property, `${prefix}.${name}`)
    if (value === undefined) throw new Error(`${prefix}.${name} is not set`)
    return value
  }
  const issuer = required('issuer')
  const url = URL.parse(issuer)
  if (url?.protocol !== 'https:') throw new Error(`${prefix}.issuer: "${issuer}" is no https URL`)
  const claim = textSetting(property, `${prefix}.claim_mapping`, EMAIL_CLAIM)
  const domain = textSetting(property, `${prefix}.domain`, 'user').toLowerCase()
  if (!isName('DomainName', domain)) throw new Error(`${prefix}.domain: "${domain}" is no domain`)
  return {
    issuer,
    audience: required('audience'),
    emailEnd: claim === EMAIL_CLAIM ? emailEndOf(required('email_domain')) : '',
    claim,
    domain,
    name: textSetting(property, `${prefix}.name`) ?? hostLabel(url.hostname),
    userName: readPattern(property, `${prefix}.username_pattern`),
  }
}

/** A bare domain means that very domain: as the end of a text it would also be that of `evil-example.com`. */
function emailEndOf(text: string): string {
  const end = text.toLowerCase()
  return end.startsWith('@') || end.startsWith('.') ? end : `@${end}`
}

/** `example` for `login.example.com`. */
const hostLabel = (host: string): string => host.split('.').at(-2) ?? 'default'

function readPattern(property: PropertyReader, name: string): RegExp {
  const source = textSetting(property, name, '[a-z][a-z0-9]*')
  try {
    return wholePattern(source)
  } catch (cause) {
    throw new Error(`${name}: "${source}" is not a regular expression`, { cause })
  }
}
