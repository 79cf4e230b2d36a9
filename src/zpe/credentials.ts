import { X509Certificate } from 'node:crypto'
import type { MaybePromise } from '#core/http/maybe-promise.ts'
import type { Clock } from '#core/seam/clock.ts'
import { parseRoleToken, type RoleToken } from '#core/token/role-token.ts'
import { validateRoleToken } from '#core/token/validate-role-token.ts'
import { Refusal } from './access-status.ts'
import { readAccessToken } from './access-token.ts'
import { CertificateReader } from './certificate-facts.ts'
import type { AccessToken, Credential, ParsedToken, Presenter } from './credential.ts'
import type { DomainPlan } from './domain-policies.ts'
import type { PublicKeys } from './public-keys.ts'
import { type AcceptedIssuers, roleOfCertificate } from './role-certificate.ts'
import { type BindingRules, isBoundTo } from './token-binding.ts'
import { TokenCache } from './token-cache.ts'

/** Kinds of credentials. */
export type CredentialKind = 'role-token' | 'access-token' | 'role-certificate'

/** The roles that a credential gives its bearer, with room for what they select of the policies. */
export class HeldRoles {
  readonly kind: CredentialKind
  readonly domain: string
  readonly roles: readonly string[]
  /** Epoch seconds; 0 for none. */
  readonly expiryTimeSeconds: number
  /** Undefined for certificates. */
  readonly token: ParsedToken | undefined
  plan: DomainPlan | undefined

  constructor(kind: CredentialKind, domain: string, roles: readonly string[], token?: ParsedToken) {
    this.kind = kind
    this.domain = domain
    this.roles = roles
    this.expiryTimeSeconds = token?.expiryTimeSeconds ?? 0
    this.token = token
    this.plan = undefined
  }
}

/** What credentials are held against. */
export interface CredentialRules extends BindingRules {
  readonly keys: Pick<PublicKeys, 'zts'>
  readonly clock: Clock
  /** How far clocks may differ, for role tokens. */
  readonly allowedOffsetSeconds: number
  /** Longest remaining life of role tokens. */
  readonly maxTokenExpirySeconds: number
  /** Tokens of each kind that are kept. */
  readonly maxCachedTokens: number
  /** Issuers of role certificates; any when undefined. */
  readonly certificateIssuers: AcceptedIssuers | undefined
}

const ROLE_TOKEN_START = 'v=Z1;'
const BEARER = 'Bearer '

/** Finds out what roles credentials give, and remembers it of tokens until they expire. */
export class Credentials {
  readonly #rules: CredentialRules
  readonly #roleTokens: TokenCache<HeldRoles>
  readonly #accessTokens: TokenCache<HeldRoles>
  readonly #certificates = new CertificateReader()
  /** Of parsed tokens and certificates. */
  readonly #held = new WeakMap<object, HeldRoles>()
  /** Grows when tokens are forgotten: what was verified with the keys of before is not kept. */
  #generation = 0

  constructor(rules: CredentialRules) {
    this.#rules = rules
    this.#roleTokens = new TokenCache(rules.maxCachedTokens)
    this.#accessTokens = new TokenCache(rules.maxCachedTokens)
  }

  /** What is known of the text of a token. Whether it has expired since, or is bound to a certificate, is not looked at. */
  known(text: string): HeldRoles | undefined {
    return (text.startsWith(ROLE_TOKEN_START) ? this.#roleTokens : this.#accessTokens).get(text)
  }

  /** The roles that a credential gives, or why it gives none; a promise when it has to be verified. */
  hold(credential: Credential, presenter: Presenter | undefined): MaybePromise<HeldRoles | Refusal> {
    if (typeof credential === 'string') return this.#holdText(credential, presenter)
    if (credential instanceof X509Certificate) return this.#holdCertificate(credential)
    if ('signedText' in credential) return this.#once(credential, () => ofRoleToken(credential))
    return this.#bound(
      this.#once(credential, () => ofAccessToken(credential)),
      presenter,
    )
  }

  /** How many tokens are kept. */
  get cached(): number {
    return this.#roleTokens.size + this.#accessTokens.size
  }

  /** Forgets tokens that have expired. */
  removeExpired(): void {
    const now = this.#nowSeconds()
    this.#roleTokens.removeExpired(now)
    this.#accessTokens.removeExpired(now)
  }

  /** Forgets all tokens, so that each is verified again. */
  forget(): void {
    this.#generation++
    this.#roleTokens.clear()
    this.#accessTokens.clear()
  }

  #nowSeconds(): number {
    return Math.floor(this.#rules.clock() / 1000)
  }

  #holdText(text: string, presenter: Presenter | undefined): MaybePromise<HeldRoles | Refusal> {
    if (text.startsWith(ROLE_TOKEN_START)) return this.#roleTokens.get(text) ?? this.#verifyRoleToken(text)
    const known = this.#accessTokens.get(text)
    return known === undefined ? this.#verifyAccessToken(text, presenter) : this.#bound(known, presenter)
  }

  async #verifyRoleToken(text: string): Promise<HeldRoles | Refusal> {
    const { keys, allowedOffsetSeconds, maxTokenExpirySeconds } = this.#rules
    const nowSeconds = this.#nowSeconds()
    const generation = this.#generation
    const outcome = await validateRoleToken(text, {
      nowSeconds,
      allowedOffsetSeconds,
      maxExpirySeconds: maxTokenExpirySeconds,
      publicKey: async (_domain, _service, keyId) => keys.zts(keyId),
    })
    if (!outcome.ok) return refusedRoleToken(text, outcome.failure.reason, nowSeconds)
    const held = ofRoleToken(outcome.token)
    if (generation === this.#generation) this.#roleTokens.set(text, held)
    return held
  }

  async #verifyAccessToken(text: string, presenter: Presenter | undefined): Promise<HeldRoles | Refusal> {
    const token = text.startsWith(BEARER) ? text.slice(BEARER.length) : text
    const generation = this.#generation
    const outcome = await readAccessToken(token, this.#nowSeconds(), (keyId) => this.#rules.keys.zts(keyId))
    if (!outcome.ok) return new Refusal('DENY_ROLETOKEN_INVALID', outcome.reason)
    const held = this.#bound(ofAccessToken(outcome.token), presenter)
    if (held instanceof HeldRoles && generation === this.#generation) this.#accessTokens.set(text, held)
    return held
  }

  #bound(held: HeldRoles, presenter: Presenter | undefined): HeldRoles | Refusal {
    if (presenter === undefined) return held
    const { certificate, forwardedThumbprint, unbound = 'refuse' } = presenter
    const token = held.token as AccessToken
    if (token.confirmation === undefined && (unbound === 'accept' || certificate === undefined)) return held
    if (certificate === undefined) return mismatch('the token is bound to a certificate, and there is none')
    if (token.confirmation === undefined) return mismatch('the token is not bound to a certificate')
    return isBoundTo(token, this.#certificates.read(certificate), forwardedThumbprint, this.#rules)
      ? held
      : mismatch('the token is bound to another certificate')
  }

  #holdCertificate(certificate: X509Certificate): HeldRoles | Refusal {
    const found = roleOfCertificate(this.#certificates.read(certificate), this.#rules.certificateIssuers)
    if (found instanceof Refusal) return found
    return this.#once(certificate, () => new HeldRoles('role-certificate', found.domain, [found.role]))
  }

  #once(credential: object, hold: () => HeldRoles): HeldRoles {
    const known = this.#held.get(credential)
    if (known !== undefined) return known
    const held = hold()
    this.#held.set(credential, held)
    return held
  }
}

const ofRoleToken = (token: RoleToken): HeldRoles => new HeldRoles('role-token', token.domain, token.roles, token)
const ofAccessToken = (token: AccessToken): HeldRoles => new HeldRoles('access-token', token.domain, token.roles, token)

const mismatch = (reason: string): Refusal => new Refusal('DENY_CERT_HASH_MISMATCH', reason)

/** That it has expired is told of any token that says so, whatever else is wrong with it. */
function refusedRoleToken(text: string, reason: string, nowSeconds: number): Refusal {
  const parsed = parseRoleToken(text)
  const expires = parsed.ok ? parsed.token.expiryTimeSeconds : 0
  const isExpired = expires !== 0 && expires < nowSeconds
  return new Refusal(isExpired ? 'DENY_ROLETOKEN_EXPIRED' : 'DENY_ROLETOKEN_INVALID', reason)
}
