import { createHash, type X509Certificate } from 'node:crypto'
import type { Principal } from '#core/authority/principal.ts'
import type { Confirmation } from './access-token-claims.ts'

/** What binds tokens to the certificate of the caller; computed once per certificate, and so once per connection. */
export class CertificateBinding {
  readonly #thumbprints = new WeakMap<X509Certificate, string>()

  /** The `cnf` claim for a caller; undefined when it came without a certificate, and then nothing is bound. */
  confirmationOf(
    { x509Certificate }: Principal,
    proxySpiffeUris: readonly string[] | undefined,
  ): Confirmation | undefined {
    if (x509Certificate === undefined) return undefined
    const thumbprint = { 'x5t#S256': this.#thumbprintOf(x509Certificate) }
    return proxySpiffeUris === undefined ? thumbprint : { ...thumbprint, 'proxy-principals#spiffe': proxySpiffeUris }
  }

  /** SHA-256 of the DER in base64url (RFC 8705, 3.1). */
  #thumbprintOf(certificate: X509Certificate): string {
    const known = this.#thumbprints.get(certificate)
    if (known !== undefined) return known
    const thumbprint = createHash('sha256').update(certificate.raw).digest('base64url')
    this.#thumbprints.set(certificate, thumbprint)
    return thumbprint
  }
}
