/** The outcomes of an access check, and what they mean for people. Programs compare the names. */
export const ACCESS_STATUS_TEXTS = {
  ALLOW: 'Access check was explicitly allowed',
  DENY: 'Access check was explicitly denied',
  DENY_NO_MATCH: 'Access denied: no assertion of the policies matches',
  DENY_ROLETOKEN_EXPIRED: 'Access denied: the token has expired',
  DENY_ROLETOKEN_INVALID: 'Access denied: the token is not valid',
  DENY_DOMAIN_MISMATCH: 'Access denied: the resource belongs to another domain than the token',
  DENY_DOMAIN_NOT_FOUND: 'Access denied: there are no policies of the domain',
  DENY_DOMAIN_EXPIRED: 'Access denied: the policies of the domain have expired',
  DENY_DOMAIN_EMPTY: 'Access denied: the policies of the domain have no assertions',
  DENY_INVALID_PARAMETERS: 'Access denied: action or resource is missing',
  DENY_CERT_MISMATCH_ISSUER: 'Access denied: the issuer of the role certificate is not accepted',
  DENY_CERT_MISSING_SUBJECT: 'Access denied: the certificate names no subject',
  DENY_CERT_MISSING_DOMAIN: 'Access denied: the role certificate names no domain',
  DENY_CERT_MISSING_ROLE_NAME: 'Access denied: the certificate names no role',
  DENY_CERT_HASH_MISMATCH: 'Access denied: the token belongs to another certificate',
} as const

/** Outcome of an access check; only `ALLOW` grants access. */
export type AccessStatus = keyof typeof ACCESS_STATUS_TEXTS

/** Why a credential says nothing about roles: the status, and the reason in words, without any secret. */
export class Refusal {
  readonly status: AccessStatus
  readonly reason: string

  constructor(status: AccessStatus, reason: string) {
    this.status = status
    this.reason = reason
  }
}
