import { createHash, type X509Certificate } from 'node:crypto'

/** What tokens name a certificate by: SHA-256 of its DER in base64url (`x5t#S256`; RFC 8705, 3.1). */
export const certificateThumbprint = (certificate: X509Certificate): string =>
  createHash('sha256').update(certificate.raw).digest('base64url')
