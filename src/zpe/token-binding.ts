import type { CertificateFacts } from './certificate-facts.ts'
import type { AccessToken } from './credential.ts'

/** Whose certificates an access token is accepted with besides the one that it names. */
export interface BindingRules {
  /**
   * How a renewed certificate of the holder is accepted, by its name: always (-1), never (0), or when it was issued within
   * so many seconds after the token.
   */
  readonly renewedCertificateSeconds: number
  /** Common names of proxies that may forward the thumbprint of a client's certificate; any when undefined. */
  readonly proxyPrincipals: ReadonlySet<string> | undefined
}

/** Certificates are made valid from so long before they are issued. */
const BACKDATED_SECONDS = 3600

/**
 * Whether an access token may be used with a certificate (RFC 8705, with the peer's additions): the one that it names, one
 * of the same holder, one of a proxy that it names, or one of a trusted proxy that was shown the right one.
 */
export function isBoundTo(
  { confirmation, clientId, issueTimeSeconds }: AccessToken,
  certificate: CertificateFacts,
  forwardedThumbprint: string | undefined,
  { renewedCertificateSeconds, proxyPrincipals }: BindingRules,
): boolean {
  if (confirmation === undefined) return false
  const { thumbprint, commonName, spiffeUri, notBeforeSeconds } = certificate
  if (thumbprint === confirmation.certificateThumbprint) return true
  if (commonName !== undefined && commonName === clientId) {
    if (renewedCertificateSeconds < 0) return true
    const earliest = (issueTimeSeconds ?? Number.NaN) - BACKDATED_SECONDS
    const isSoonAfter = notBeforeSeconds >= earliest && notBeforeSeconds <= earliest + renewedCertificateSeconds
    if (renewedCertificateSeconds > 0 && isSoonAfter) return true
  }
  if (spiffeUri !== undefined && confirmation.proxySpiffeUris.includes(spiffeUri)) return true
  if (forwardedThumbprint === undefined || forwardedThumbprint !== confirmation.certificateThumbprint) return false
  return commonName !== undefined && (proxyPrincipals === undefined || proxyPrincipals.has(commonName))
}
