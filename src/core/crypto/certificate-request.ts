import { publicKeyToAsn1, signedDer } from './certificate.ts'
import { contextConstructed, integer, oid, sequence, set, toDer, toPem } from './certificate-asn1.ts'
import { type Extensions, extensionsToAsn1 } from './certificate-extension.ts'
import { type DistinguishedName, nameToAsn1 } from './certificate-name.ts'
import type { Signer } from './signing.ts'

/** What a certificate request asks for. */
export interface CertificateRequestSpecification extends Extensions {
  readonly subject: DistinguishedName
  /** Made for the use `certificate`; its public key is what is to be certified. */
  readonly signer: Signer
}

// PKCS#9 extensionRequest, RFC 2985, 5.4.2.
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14'

/**
 * Builds and signs a PKCS#10 certificate request (RFC 2986) with SHA-256; gives it as PEM.
 * @throws RangeError for a value that cannot be written
 */
export async function buildCertificateRequest(specification: CertificateRequestSpecification): Promise<string> {
  const { subject, signer } = specification
  const extensions = extensionsToAsn1(specification, {}, subject.length === 0)
  const attributes = extensions.length > 0 ? [sequence(oid(EXTENSION_REQUEST), set(sequence(...extensions)))] : []
  const body = sequence(
    integer(0),
    nameToAsn1(subject),
    publicKeyToAsn1(signer.publicKey),
    contextConstructed(0, ...attributes),
  )
  return toPem('CERTIFICATE REQUEST', await signedDer(toDer(body), signer))
}
