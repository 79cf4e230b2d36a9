import type { Authority } from './authority.ts'
import { CertificateAuthority } from './certificate-authority.ts'
import { ForwardedCertificateAuthority } from './forwarded-certificate-authority.ts'
import { KerberosAuthority } from './kerberos-authority.ts'
import { LdapAuthority } from './ldap-authority.ts'
import { OAuthAccessTokenAuthority } from './oauth-access-token-authority.ts'
import { OidcAuthority } from './oidc-authority.ts'
import { PrincipalAuthority } from './principal-authority.ts'
import { RoleAuthority } from './role-authority.ts'
import { ServiceAccessTokenAuthority } from './service-access-token-authority.ts'
import { TestUserAuthority } from './test-user-authority.ts'
import { UserAuthority } from './user-authority.ts'

const IMPLEMENTATIONS = 'com.yahoo.athenz.auth.impl.'
const DEBUG = 'com.yahoo.athenz.common.server.debug.'

/** Our authorities by the class names that existing configurations use; those of ours alone begin with `athenz.ts.`. */
export const builtInAuthorities: ReadonlyMap<string, () => Authority> = new Map<string, () => Authority>([
  [`${IMPLEMENTATIONS}PrincipalAuthority`, () => new PrincipalAuthority()],
  [`${IMPLEMENTATIONS}RoleAuthority`, () => new RoleAuthority()],
  [`${IMPLEMENTATIONS}CertificateAuthority`, () => new CertificateAuthority()],
  [`${IMPLEMENTATIONS}UserAuthority`, () => new UserAuthority()],
  [`${IMPLEMENTATIONS}KerberosAuthority`, () => new KerberosAuthority()],
  [`${IMPLEMENTATIONS}LDAPAuthority`, () => new LdapAuthority()],
  [`${IMPLEMENTATIONS}OIDCAuthority`, () => new OidcAuthority()],
  [`${IMPLEMENTATIONS}ServiceAccessTokenAuthority`, () => new ServiceAccessTokenAuthority()],
  ['com.yahoo.athenz.auth.oauth.OAuthCertBoundJwtAccessTokenAuthority', () => new OAuthAccessTokenAuthority()],
  ['athenz.ts.ForwardedCertificateAuthority', () => new ForwardedCertificateAuthority()],
  [`${IMPLEMENTATIONS}TestUserAuthority`, () => new TestUserAuthority()],
])

const debugReason =
  'checks neither signature nor password and is left out on purpose (for development there is ' +
  `${IMPLEMENTATIONS}TestUserAuthority, which only gives out user tokens)`

/** Authorities of existing configurations that are not supported: class name → the rest of the sentence about it. */
export const unsupportedAuthorities: ReadonlyMap<string, string> = new Map([
  [`${DEBUG}DebugPrincipalAuthority`, debugReason],
  [`${DEBUG}DebugRoleAuthority`, debugReason],
  [`${DEBUG}DebugKerberosAuthority`, debugReason],
  [`${DEBUG}DebugUserAuthority`, debugReason],
])
