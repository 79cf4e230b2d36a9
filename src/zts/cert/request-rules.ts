import type { ConfigOf } from '#core/config/server-tables.ts'
import type { MaybePromise } from '#core/http/maybe-promise.ts'
import type { HostnameResolver } from './hostname-resolver.ts'
import type { SpiffeUriValidator } from './spiffe-uri.ts'

/** Accepts DNS names in certificates that the usual rules do not: a plug-in. Names are lower case. */
export interface CertificateDataValidator {
  acceptsServiceDnsName(dnsName: string, domain: string, service: string): MaybePromise<boolean>
  /** `principal` is the holder of the role. */
  acceptsRoleDnsName(dnsName: string, domain: string, role: string, principal: string): MaybePromise<boolean>
}

/** Rules of certificate requests that the operator sets. */
export interface RequestRules {
  /** Any when empty. */
  readonly allowedOrganizations: ReadonlySet<string>
  readonly allowedUnits: ReadonlySet<string>
  readonly verifiesUnit: boolean
  readonly verifiesAddress: boolean
  readonly verifiesUriSchemes: boolean
  readonly verifiesRoleDnsNames: boolean
  /** Ends of DNS names and of domains of e-mail addresses, with their dot. */
  readonly dnsSuffixes: readonly string[]
  readonly userNamespace: string
  readonly spiffe: SpiffeUriValidator
  readonly dataValidator: CertificateDataValidator | undefined
  readonly hostnames: HostnameResolver | undefined
}

/** The rules of a configuration with its plug-ins. */
export const requestRules = (
  { zts }: Pick<ConfigOf['zts'], 'zts'>,
  plugIns: Pick<RequestRules, 'spiffe' | 'dataValidator' | 'hostnames'>,
): RequestRules => ({
  allowedOrganizations: zts.certAllowedOValues,
  allowedUnits: zts.certAllowedOuValues,
  verifiesUnit: zts.certRequestVerifySubjectOu,
  verifiesAddress: zts.certRequestVerifyIp,
  verifiesUriSchemes: zts.validateCertUriSchemes,
  verifiesRoleDnsNames: zts.validateRoleCertDnsNames,
  dnsSuffixes: zts.certDnsSuffix.map(withDot),
  userNamespace: zts.spiffeDefaultUserNamespace,
  ...plugIns,
})

// Without the dot, `athenz.cloud` would also be the end of `evilathenz.cloud`.
const withDot = (suffix: string) => (suffix.startsWith('.') ? suffix : `.${suffix}`)
