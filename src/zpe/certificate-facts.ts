import type { X509Certificate } from 'node:crypto'
// Node.js cannot make TLS connections any more when a certificate is read with toLegacyObject before this is loaded.
// oxlint-disable-next-line import/no-unassigned-import -- it is wanted for that alone
import 'node:tls'
import { canonicalName } from '#core/authority/distinguished-name.ts'
import { certificateAlternativeNames } from '#core/crypto/certificate-alternative-names.ts'
import { certificateThumbprint } from '#core/crypto/certificate-thumbprint.ts'

/** What access checks read of a certificate. */
export interface CertificateFacts {
  /** Undefined when there is none, or more than one. */
  readonly commonName: string | undefined
  /** The issuer, in a form in which the order of its attributes does not matter. */
  readonly issuer: string
  /** The issuer as text, the common name first. */
  readonly issuerText: string
  readonly thumbprint: string
  /** The first URI with the scheme `spiffe`, in lower case. */
  readonly spiffeUri: string | undefined
  readonly notBeforeSeconds: number
}

/** Reads certificates once each. */
export class CertificateReader {
  readonly #known = new WeakMap<X509Certificate, CertificateFacts>()

  read(certificate: X509Certificate): CertificateFacts {
    const known = this.#known.get(certificate)
    if (known !== undefined) return known
    const facts = factsOf(certificate)
    this.#known.set(certificate, facts)
    return facts
  }
}

const SPIFFE = 'spiffe://'

function factsOf(certificate: X509Certificate): CertificateFacts {
  const { subject, issuer } = certificate.toLegacyObject()
  const commonNames = [({ ...subject } as Readonly<Record<string, string | string[] | undefined>>)['CN'] ?? []].flat()
  const uris = certificateAlternativeNames(certificate)?.uris ?? []
  return {
    commonName: commonNames.length === 1 && commonNames[0] !== '' ? commonNames[0] : undefined,
    issuer: canonicalName({ ...issuer }),
    issuerText: certificate.issuer.split('\n').toReversed().join(','),
    thumbprint: certificateThumbprint(certificate),
    spiffeUri: uris.map((uri) => uri.toLowerCase()).find((uri) => uri.startsWith(SPIFFE)),
    notBeforeSeconds: certificate.validFromDate.getTime() / 1000,
  }
}
