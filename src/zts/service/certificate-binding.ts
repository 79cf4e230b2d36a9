import type { X509Certificate } from 'node:crypto'
import type { Principal } from '#core/authority/principal.ts'
import { certificateThumbprint } from '#core/crypto/certificate-thumbprint.ts'
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

  #thumbprintOf(certificate: X509Certificate): string {
    const known = this.#thumbprints.get(certificate)
    if (known !== undefined) return known
    const thumbprint = certificateThumbprint(certificate)
    this.#thumbprints.set(certificate, thumbprint)
    return thumbprint
  }
}
