import { authenticate, endpoint } from '#core/http/endpoint.ts'
import { lowered, shown } from '#core/http/scalar-types.ts'
import { struct, type ValueOf } from '#core/http/wire.ts'
import { openReadErrors } from './parameters.ts'

/** Certificates of authorities in PEM, under the name of the bundle. */
export const CertificateAuthorityBundle = struct('CertificateAuthorityBundle', {
  name: shown.simple,
  certs: shown.text,
})
export type CertificateAuthorityBundle = ValueOf<typeof CertificateAuthorityBundle>

/** Certificates of authorities. */
export const caBundleEndpoints = {
  getCertificateAuthorityBundle: endpoint({
    operation: 'getCertificateAuthorityBundle',
    method: 'GET',
    path: '/cacerts/{name}',
    group: 'Instance',
    summary: 'Reads a bundle of certificates of authorities.',
    params: { name: lowered.simple },
    access: authenticate,
    responses: { 200: CertificateAuthorityBundle },
    errors: openReadErrors,
  }),
}
