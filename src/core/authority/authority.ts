import type { IncomingMessage } from 'node:http'
import type { KeyStore } from './key-store.ts'
import type { PeerCertificateChain } from './peer-certificate.ts'
import type { Principal } from './principal.ts'

/** Where an authority finds its credential. */
export type CredentialSource = 'header' | 'certificate' | 'request'

/** State of a user as its authority knows it. */
export type UserType = 'active' | 'suspended' | 'invalid'

/**
 * What an authority answers: a principal, "rejected, because", or null for "no credential of mine here".
 * The chain, not the authority, decides what happens next.
 */
export type AuthenticationResult = Principal | Rejection | null

/** A credential was there and is not good; the reason goes to log and access log, not to the client. */
export interface Rejection {
  readonly rejected: string
}

/** Settings an authority may read at start: the value of a property, or undefined. */
export type PropertyReader = (name: string) => string | undefined

/** What an authority is given at start. */
export interface AuthorityContext {
  readonly property: PropertyReader
  readonly keyStore: KeyStore
  /** Epoch milliseconds. */
  readonly now: () => number
  /** A line for the server's log. */
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
}

/**
 * Turns the credential of a request into a principal. A plug-in: an ES module path in the list of authorities may
 * export a class (default export) that implements this interface. One instance per server.
 */
export interface Authority {
  /** Label in the access log, e.g. `Auth-NTOKEN`. */
  readonly id: string
  readonly credentialSource: CredentialSource
  /** Domain it vouches for; undefined means any. */
  readonly domain?: string
  /** Request header with the credential, or `Cookie.{name}`; undefined for certificate and request authorities. */
  readonly header?: string
  /** Value of `WWW-Authenticate` when authentication fails. */
  readonly challenge?: string
  /** False: its principals may only obtain a user token; every authorization check refuses them. */
  readonly allowAuthorization: boolean
  /** Reads settings and opens resources; a failure stops the start. */
  initialize?(context: AuthorityContext): Promise<void> | void
  /** For the `header` source. `method` is the HTTP method, upper case. */
  authenticateHeader?(
    credential: string,
    remoteAddress: string,
    method: string,
  ): AuthenticationResult | Promise<AuthenticationResult>
  /** For the `certificate` source; called once per connection and kept with the socket. */
  authenticateCertificate?(chain: PeerCertificateChain): AuthenticationResult | Promise<AuthenticationResult>
  /** For the `request` source. */
  authenticateRequest?(request: IncomingMessage): AuthenticationResult | Promise<AuthenticationResult>
  /** Name under which a user's home domain appears; the user name itself by default. */
  userDomainName?(userName: string): string
  /** State of a user, given by full name (`user.joe`); `active` by default. */
  userType?(fullName: string): UserType | Promise<UserType>
  /** Names valid in userAuthorityFilter. */
  booleanAttributes?(): ReadonlySet<string>
  /** Names valid in userAuthorityExpiration. */
  dateAttributes?(): ReadonlySet<string>
  isAttributeSet?(fullName: string, attribute: string): boolean | Promise<boolean>
  /** Whether losing the attribute disables existing memberships; true by default. */
  isAttributeRevocable?(attribute: string): boolean
  /** Epoch milliseconds, or undefined. */
  dateAttribute?(fullName: string, attribute: string): number | undefined | Promise<number | undefined>
  userEmail?(fullName: string): string | undefined | Promise<string | undefined>
  /** Successor for contacts when a user is deleted. */
  userManager?(fullName: string): string | undefined | Promise<string | undefined>
  /**
   * The key that signs the certificates of a user (ZTS); undefined leaves it to `requested`, the one that is asked for, as
   * far as that is allowed.
   */
  signerKeyId?(fullName: string, requested: string | undefined): string | undefined | Promise<string | undefined>
  /** Full names of the principals that the authority holds suspended. */
  suspendedPrincipals?(): Promise<readonly string[]>
  close?(): Promise<void> | void
}
