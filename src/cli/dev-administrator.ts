import type { CertificateFiles } from './dev-certificates.ts'

/** The system administrator of a development pair. */
export const ADMINISTRATOR = 'user.admin'

/** His client certificate. */
export const ADMIN_FILES: CertificateFiles = {
  certificate: `admin/${ADMINISTRATOR}.pem`,
  key: `admin/${ADMINISTRATOR}.key`,
}
