import { authenticate, endpoint } from '#core/http/endpoint.ts'
import { kept, lowered, maybe, shown } from '#core/http/scalar-types.ts'
import { initially, int64, optional, struct, type ValueOf } from '#core/http/wire.ts'
import { checkedErrors, inDomain } from './parameters.ts'
import { RoleToken } from './role-token.ts'

/** A role certificate that is asked for. The dates of the certificate it replaces say how urgent it is. */
export const RoleCertificateRequest = struct('RoleCertificateRequest', {
  /** PKCS #10 in PEM. */
  csr: kept.text,
  proxyForPrincipal: optional(lowered.entity),
  /** Minutes; 0 leaves it to the server. */
  expiryTime: initially(0, int64()),
  prevCertNotBefore: maybe.timestamp,
  prevCertNotAfter: maybe.timestamp,
  x509CertSignerKeyId: optional(kept.simple),
})
export type RoleCertificateRequest = ValueOf<typeof RoleCertificateRequest>

/** A role certificate in PEM. */
export const RoleCertificate = struct('RoleCertificate', { x509Certificate: shown.text })
export type RoleCertificate = ValueOf<typeof RoleCertificate>

/** Role certificates. */
export const roleCertificateEndpoints = {
  postRoleCertificateRequest: endpoint({
    operation: 'postRoleCertificateRequest',
    method: 'POST',
    path: '/domain/{domainName}/role/{roleName}/token',
    group: 'Token',
    summary: 'Issues a role certificate in the form of a token; for old clients.',
    params: { ...inDomain, roleName: lowered.entity },
    body: RoleCertificateRequest,
    access: authenticate,
    responses: { 200: RoleToken },
    errors: checkedErrors,
  }),
  postRoleCertificateRequestExt: endpoint({
    operation: 'postRoleCertificateRequestExt',
    method: 'POST',
    path: '/rolecert',
    group: 'RoleCert',
    summary: 'Issues a certificate for a role that the caller, or another principal, holds.',
    body: RoleCertificateRequest,
    access: authenticate,
    responses: { 200: RoleCertificate },
    errors: checkedErrors,
  }),
}
