import type { Authority } from './authority.ts'
import { CertificateAuthority } from './certificate-authority.ts'
import { KerberosAuthority } from './kerberos-authority.ts'
import { PrincipalAuthority } from './principal-authority.ts'
import { RoleAuthority } from './role-authority.ts'
import { TestUserAuthority } from './test-user-authority.ts'
import { UserAuthority } from './user-authority.ts'

const IMPLEMENTATIONS = 'com.yahoo.athenz.auth.impl.'
const DEBUG = 'com.yahoo.athenz.common.server.debug.'

/** Our authorities by the class names that existing configurations use. */
export const builtInAuthorities: ReadonlyMap<string, () => Authority> = new Map<string, () => Authority>([
  [`${IMPLEMENTATIONS}PrincipalAuthority`, () => new PrincipalAuthority()],
  [`${IMPLEMENTATIONS}RoleAuthority`, () => new RoleAuthority()],
  [`${IMPLEMENTATIONS}CertificateAuthority`, () => new CertificateAuthority()],
  [`${IMPLEMENTATIONS}UserAuthority`, () => new UserAuthority()],
  [`${IMPLEMENTATIONS}KerberosAuthority`, () => new KerberosAuthority()],
  [`${IMPLEMENTATIONS}TestUserAuthority`, () => new TestUserAuthority()],
])

const debugReason =
  'checks neither signature nor password and is left out on purpose (for development there is ' +
  `${IMPLEMENTATIONS}TestUserAuthority, which only gives out user tokens)`

/** Authorities of existing configurations that are not supported: class name → the rest of the sentence about it. */
export const unsupportedAuthorities: ReadonlyMap<string, string> = new Map([
  [
    `${IMPLEMENTATIONS}LDAPAuthority`,
    `is not supported (use ${IMPLEMENTATIONS}UserAuthority with an LDAP module in its PAM profile)`,
  ],
  [
    `${IMPLEMENTATIONS}OIDCAuthority`,
    'is not supported (give an ES module of your own that exports an authority for your provider)',
  ],
  [
    `${IMPLEMENTATIONS}ServiceAccessTokenAuthority`,
    `is not supported (services can use ${IMPLEMENTATIONS}CertificateAuthority or ${IMPLEMENTATIONS}PrincipalAuthority)`,
  ],
  [
    'com.yahoo.athenz.auth.oauth.OAuthCertBoundJwtAccessTokenAuthority',
    `is not supported (clients with a certificate can use ${IMPLEMENTATIONS}CertificateAuthority)`,
  ],
  [`${DEBUG}DebugPrincipalAuthority`, debugReason],
  [`${DEBUG}DebugRoleAuthority`, debugReason],
  [`${DEBUG}DebugKerberosAuthority`, debugReason],
  [`${DEBUG}DebugUserAuthority`, debugReason],
])
