import type { X509Certificate } from 'node:crypto'
import { certificateThumbprint } from '#core/crypto/certificate-thumbprint.ts'
import type { JwtClaims } from '#core/token/json-web-token.ts'

const PREFIX = 'Bearer '

/**
 * The token in an `Authorization` header of the scheme Bearer (RFC 6750, 2.1; the prefix exactly `Bearer `); undefined for
 * another scheme.
 */
export function bearerToken(credential: string): string | undefined {
  return credential.startsWith(PREFIX) ? credential.slice(PREFIX.length).trim() : undefined
}

/** How a token stands to the certificate of the client. */
export type CertificateBinding = 'unbound' | 'bound' | 'bound-to-another'

/**
 * Whether a token is bound to a certificate (RFC 8705, 3.1): its claim `cnf`, or `claimName`, has the SHA-256 of the
 * certificate as `x5t#S256`. A confirmation of any other kind counts as one for somebody else.
 */
export function certificateBinding(
  claims: JwtClaims,
  certificate: X509Certificate | undefined,
  claimName = 'cnf',
): CertificateBinding {
  const confirmation: unknown = Object.hasOwn(claims, claimName) ? claims[claimName] : undefined
  if (confirmation === undefined || confirmation === null) return 'unbound'
  if (certificate === undefined || typeof confirmation !== 'object') return 'bound-to-another'
  const thumbprint = certificateThumbprint(certificate)
  const bound = Object.hasOwn(confirmation, 'x5t#S256') ? Reflect.get(confirmation, 'x5t#S256') : undefined
  return bound === thumbprint ? 'bound' : 'bound-to-another'
}

/** Texts of a claim: a list of them, or one text with blanks between them; empty when it is absent or anything else. */
export function textsOf(claims: JwtClaims, name: string): readonly string[] {
  const value: unknown = Object.hasOwn(claims, name) ? claims[name] : undefined
  if (typeof value === 'string') return value.split(' ').filter((text) => text !== '')
  return Array.isArray(value) && value.every((text) => typeof text === 'string') ? value : []
}

/** The scopes of an access token: `scope` (RFC 8693, 4.2) or `scp`, as some issuers call it. */
export function scopesOf(claims: JwtClaims): readonly string[] {
  const scopes = textsOf(claims, 'scope')
  return scopes.length > 0 ? scopes : textsOf(claims, 'scp')
}
