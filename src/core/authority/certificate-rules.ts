import { Glob } from '#core/rbac/glob.ts'
import type { PropertyReader } from './authority.ts'
import type { CertificateIdentityRules } from './certificate-identity.ts'
import { flagSetting, listSetting } from './setting.ts'

/**
 * Which certificates an authority accepts. Properties: `excluded_principals` (comma list of common names) and
 * `exclude_role_certificates`, both below `prefix`; `athenz.crypto.restricted_ou` (comma list of patterns with `*` and `?`).
 */
export const readCertificateRules = (property: PropertyReader, prefix: string): CertificateIdentityRules => ({
  excludedPrincipals: new Set(listSetting(property, `${prefix}.excluded_principals`)),
  excludeRoleCertificates: flagSetting(property, `${prefix}.exclude_role_certificates`, false),
  restrictedUnits: listSetting(property, 'athenz.crypto.restricted_ou').map((pattern) => new Glob(pattern)),
})
