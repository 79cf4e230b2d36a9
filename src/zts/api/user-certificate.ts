import { anonymous, endpoint } from '#core/http/endpoint.ts'
import { kept, maybe, shown } from '#core/http/scalar-types.ts'
import { optional, struct, type ValueOf } from '#core/http/wire.ts'
import { checkedErrors } from './parameters.ts'

/** A certificate that a user asks for, with what the identity provider says of him. */
export const UserCertificateRequest = struct('UserCertificateRequest', {
  name: kept.text,
  /** PKCS #10 in PEM. */
  csr: kept.text,
  attestationData: kept.text,
  /** Minutes. */
  expiryTime: maybe.int32,
  x509CertSignerKeyId: optional(kept.simple),
})
export type UserCertificateRequest = ValueOf<typeof UserCertificateRequest>

/** A certificate of a user in PEM. */
export const UserCertificate = struct('UserCertificate', { x509Certificate: shown.text })
export type UserCertificate = ValueOf<typeof UserCertificate>

/** Certificates of users. */
export const userCertificateEndpoints = {
  postUserCertificateRequest: endpoint({
    operation: 'postUserCertificateRequest',
    method: 'POST',
    path: '/usercert',
    group: 'UserCert',
    summary: 'Issues a certificate to a user for whom the identity provider vouches.',
    body: UserCertificateRequest,
    access: anonymous('the attestation in the body is the credential, and the identity provider judges it'),
    responses: { 200: UserCertificate },
    errors: checkedErrors,
  }),
}
