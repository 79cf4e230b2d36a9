import { anonymous, endpoint } from '#core/http/endpoint.ts'
import { kept, maybe, shown } from '#core/http/scalar-types.ts'
import { lower, optional, struct, text, type ValueOf } from '#core/http/wire.ts'
import { patterns } from '#core/names/patterns.ts'
import { checkedErrors } from './parameters.ts'

/** A certificate that an external member asks for, with what the identity provider says of him. */
export const ExternalMemberCertificateRequest = struct('ExternalMemberCertificateRequest', {
  name: lower(text(patterns.ExternalMemberName, undefined, 'ExternalMemberName')),
  /** PKCS #10 in PEM. */
  csr: kept.text,
  attestationData: kept.text,
  /** Minutes. */
  expiryTime: maybe.int32,
  x509CertSignerKeyId: optional(kept.simple),
})
export type ExternalMemberCertificateRequest = ValueOf<typeof ExternalMemberCertificateRequest>

/** A certificate of an external member in PEM. */
export const ExternalMemberCertificate = struct('ExternalMemberCertificate', { x509Certificate: shown.text })
export type ExternalMemberCertificate = ValueOf<typeof ExternalMemberCertificate>

/** Certificates of external members. */
export const externalMemberCertificateEndpoints = {
  postExternalMemberCertificateRequest: endpoint({
    operation: 'postExternalMemberCertificateRequest',
    method: 'POST',
    path: '/extmembercert',
    group: 'ExternalMemberCert',
    summary: 'Issues a certificate to an external member of a domain for whom the identity provider vouches.',
    body: ExternalMemberCertificateRequest,
    access: anonymous('the attestation in the body is the credential, and the identity provider judges it'),
    responses: { 200: ExternalMemberCertificate },
    errors: checkedErrors,
  }),
}
