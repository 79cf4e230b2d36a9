import type { X509Certificate } from 'node:crypto'
import type { JwtClaims } from '#core/token/json-web-token.ts'
import type { RoleToken } from '#core/token/role-token.ts'

/** An access token whose signature and times held. */
export interface AccessToken {
  /** Domain of the roles: the audience. */
  readonly domain: string
  /** Names of the roles, as the token has them. */
  readonly roles: readonly string[]
  /** Full name of who the roles were given to. */
  readonly principal: string | undefined
  /** Full name of who asked for the token. */
  readonly clientId: string | undefined
  readonly keyId: string | undefined
  /** Epoch seconds; undefined when the token does not say. */
  readonly issueTimeSeconds: number | undefined
  /** Epoch seconds. */
  readonly expiryTimeSeconds: number
  /** What binds it to a certificate; undefined when nothing does. */
  readonly confirmation: Confirmation | undefined
  readonly claims: JwtClaims
}

/** The claim `cnf` of an access token. */
export interface Confirmation {
  /** SHA-256 of the certificate of who the token was given to, in base64url (RFC 8705, 3.1). */
  readonly certificateThumbprint: string
  /** SPIFFE names of those who may present the token for its holder; lower case. */
  readonly proxySpiffeUris: readonly string[]
}

/** A token that was read and validated before. */
export type ParsedToken = RoleToken | AccessToken

/**
 * What somebody shows to be let in: the text of a role token or of an access token (with `Bearer ` or without), a token
 * that was validated before, or a role certificate that TLS has verified.
 */
export type Credential = string | ParsedToken | X509Certificate

/** Who presents an access token, as far as TLS knows. */
export interface Presenter {
  /** Certificate of the client, verified by TLS; undefined when it came without one. */
  readonly certificate: X509Certificate | undefined
  /**
   * SHA-256 in base64url of the certificate that a proxy, whose certificate is `certificate`, was shown. Only from a header
   * that the proxy sets and clients cannot.
   */
  readonly forwardedThumbprint?: string | undefined
  /** What becomes of tokens that are bound to no certificate at all: refused, unless `accept`. */
  readonly unbound?: 'refuse' | 'accept'
}
