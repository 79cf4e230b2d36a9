import type { Authority } from '#core/authority/authority.ts'
import type { KeyStore } from '#core/authority/key-store.ts'
import type { ConfigOf } from '#core/config/server-tables.ts'
import type { PrivateKeyStore } from '#core/crypto/private-key-store.ts'
import type { Domains } from '../cache/domains.ts'
import type { RoleAccess } from '../cache/role-access.ts'
import type { AllowedAddresses } from '../cert/allowed-addresses.ts'
import type { CaBundles } from '../cert/ca-bundles.ts'
import type { CertificateIssuer } from '../cert/certificate-issuer.ts'
import type { InstanceProviders } from '../cert/instance-providers.ts'
import type { ProviderSuffixes } from '../cert/provider-suffixes.ts'
import type { RequestRules } from '../cert/request-rules.ts'
import type { SshAuthorityTexts } from '../cert/ssh/ssh-authority-texts.ts'
import type { SshSigner } from '../cert/ssh-signer.ts'
import type { CertificateRecords } from '../store/certificate-records.ts'
import type { SshRecords } from '../store/ssh-records.ts'
import type { WorkloadRecords } from '../store/workload-records.ts'
import type { Authorization } from './authorization.ts'
import type { AuthorizationDetails } from './authorization-details.ts'
import type { CertificateBinding } from './certificate-binding.ts'
import type { CloudProvider } from './external/cloud-provider.ts'
import type { RoleAssumer } from './external/role-assumer.ts'
import type { ForeignIssuers } from './foreign-issuers.ts'
import type { Issuers } from './issuers.ts'
import type { PrincipalIssuers } from './principal-issuers.ts'
import type { PublishedKeys } from './published-keys.ts'
import type { TokenSigners } from './token-signers.ts'

/** What the services of ZTS are made of; put together once by `zts-server.ts`, or by a test. */
export interface ZtsDependencies {
  readonly config: ConfigOf['zts']
  readonly domains: Domains
  readonly authorization: Authorization
  readonly roleAccess: RoleAccess
  readonly signers: TokenSigners
  readonly privateKeyStore: PrivateKeyStore
  /** Keys and secrets with which the signatures of services and of the servers are verified. */
  readonly keyStore: KeyStore
  readonly publishedKeys: PublishedKeys
  readonly issuers: Issuers
  /** Others whose tokens are traded for ours. */
  readonly foreignIssuers: ForeignIssuers
  /** Assumes roles of AWS, when that is switched on. */
  readonly roleAssumer: RoleAssumer | undefined
  /** Clouds for which credentials are given, by lower-case name. */
  readonly cloudProviders: ReadonlyMap<string, CloudProvider>
  readonly principalIssuers: PrincipalIssuers
  readonly certificateBinding: CertificateBinding
  readonly authorizationDetails: AuthorizationDetails
  /** Issues certificates. */
  readonly certificateIssuer: CertificateIssuer
  readonly requestRules: RequestRules
  readonly providerSuffixes: ProviderSuffixes
  readonly caBundles: CaBundles
  readonly allowedAddresses: AllowedAddresses
  /** Who vouches for instances. */
  readonly instanceProviders: InstanceProviders
  readonly certificateRecords: CertificateRecords
  /** SSH certificates of hosts, when they are recorded. */
  readonly sshRecords: SshRecords | undefined
  /** Issues SSH certificates, when there is one. */
  readonly sshSigner: SshSigner | undefined
  /** Public keys of the authority for SSH certificates, in place of what the signer tells. */
  readonly sshAuthorityTexts: SshAuthorityTexts
  /** Where instances run, when that is recorded. */
  readonly workloadRecords: WorkloadRecords | undefined
  /** Judge of users, when one is configured. */
  readonly userAuthority: Authority | undefined
  /** Epoch milliseconds. */
  readonly now: () => number
  /** A line for the server's log. */
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
}
