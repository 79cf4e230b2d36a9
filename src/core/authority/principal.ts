import type { X509Certificate } from 'node:crypto'
import type { Authority } from './authority.ts'

/** Who a request comes from, as one authority established it. Immutable; domain and name are lower case. */
export interface Principal {
  readonly domain: string
  /** Short name; absent for a role principal, whose domain is that of its roles. */
  readonly name?: string
  /** `domain.name`, or just the domain when there is no name. */
  readonly fullName: string
  /** The authority that vouches for it; some authorities only allow obtaining a user token. */
  readonly authority: Authority
  /** As received (a token), for forwarding. */
  readonly credentials?: string
  /** Safe for logs and audit: without the signature. */
  readonly unsignedCredentials?: string
  /** Epoch seconds, 0 when unknown. */
  readonly issueTimeSeconds: number
  /** Role names when the credential is a role token, role certificate or access token; switches evaluation to role mode. */
  readonly roles?: readonly string[]
  /** Who holds the roles. */
  readonly rolePrincipalName?: string
  /** Service that signed a chained token; limits the operations. */
  readonly authorizedService?: string
  readonly originalRequestor?: string
  readonly keyService?: string
  readonly keyId?: string
  /** Address inside the token. */
  readonly ip?: string
  /** OAuth client. */
  readonly applicationId?: string
  readonly x509Certificate?: X509Certificate
  readonly issuerIdentity?: string
  /** Every authorization is refused. */
  readonly mtlsRestricted?: boolean
}
