import type { CompiledPolicies } from '#core/rbac/compiled-policies.ts'
import type { DomainView } from '#core/rbac/domain-view.ts'
import type { MemberEntry, MembersView } from '#core/rbac/members.ts'

/** Tags of a domain, role or group: values by key, in the order given. */
export type Tags = ReadonlyMap<string, readonly string[]>

/** A role as ZTS keeps it. Its members are those that ZMS sent; whether one counts now is judged at each question. */
export interface CachedRole {
  /** Lower-case local name. */
  readonly name: string
  readonly members: MembersView & Iterable<MemberEntry>
  /** Domain the role is delegated to. */
  readonly trust?: string | undefined
  /** Zero when not set. */
  readonly tokenExpiryMins: number
  readonly certExpiryMins: number
  readonly tags: Tags
}

/** A group as ZTS keeps it. */
export interface CachedGroup {
  /** Lower-case local name. */
  readonly name: string
  readonly members: MembersView & Iterable<MemberEntry>
}

/** An assertion as ZMS sent it. */
export interface CachedAssertion {
  /** Full name or glob, `sports:role.readers`. */
  readonly role: string
  readonly resource: string
  readonly action: string
  readonly effect?: 'ALLOW' | 'DENY' | undefined
  readonly id?: number | undefined
  readonly caseSensitive?: boolean | undefined
}

/** One version of a policy. */
export interface CachedPolicy {
  /** Full name, `sports:policy.readers`. */
  readonly name: string
  /** Absent when ZMS did not say: it is the active one then. */
  readonly version?: string | undefined
  readonly active: boolean
  /** Epoch milliseconds. */
  readonly modified: number | undefined
  readonly caseSensitive?: boolean | undefined
  readonly assertions: readonly CachedAssertion[]
}

/** A service as ZTS keeps it. */
export interface CachedService {
  /** Lower-case local name. */
  readonly name: string
  /** Epoch milliseconds. */
  readonly modified: number | undefined
  readonly description?: string | undefined
  readonly providerEndpoint?: string | undefined
  readonly executable?: string | undefined
  readonly user?: string | undefined
  readonly group?: string | undefined
  readonly hosts: readonly string[] | undefined
  /** PEM in ybase64 by key id, in the order given. */
  readonly publicKeys: ReadonlyMap<string, string>
  readonly clientId?: string | undefined
  /** Encrypted, as ZMS sent it. */
  readonly creds?: string | undefined
  readonly x509CertSignerKeyId?: string | undefined
  readonly sshCertSignerKeyId?: string | undefined
  readonly featureFlags?: number | undefined
}

/** Settings of a domain that matter to ZTS; numbers are zero and texts undefined when not set. */
export interface DomainSettings {
  readonly account?: string | undefined
  readonly azureSubscription?: string | undefined
  readonly azureTenant?: string | undefined
  readonly azureClient?: string | undefined
  readonly gcpProject?: string | undefined
  readonly gcpProjectNumber?: string | undefined
  readonly certDnsDomain?: string | undefined
  readonly tokenExpiryMins: number
  readonly serviceCertExpiryMins: number
  readonly roleCertExpiryMins: number
  readonly x509CertSignerKeyId?: string | undefined
  readonly sshCertSignerKeyId?: string | undefined
  readonly featureFlags?: number | undefined
}

/** An enabled domain in memory. It never changes: a new version of the domain takes its place. */
export interface CachedDomain extends DomainView<CachedPolicy> {
  /** Lower case. */
  readonly name: string
  readonly enabled: true
  /** Epoch milliseconds. */
  readonly modified: number
  readonly settings: DomainSettings
  readonly tags: Tags
  /** By lower-case local name, like groups, services and entities. */
  readonly roles: ReadonlyMap<string, CachedRole>
  readonly groups: ReadonlyMap<string, CachedGroup>
  readonly services: ReadonlyMap<string, CachedService>
  /** Values of entities as ZMS sent them. */
  readonly entities: ReadonlyMap<string, unknown>
  /** The active policies, ready for decisions. */
  readonly policies: CompiledPolicies<CachedPolicy>
  /** All versions of all policies, in the order in which ZMS sent them. */
  readonly policyVersions: readonly CachedPolicy[]
  /** Signature of ZMS over the canonical text of the active policies, if it sent one. */
  readonly policiesSignature: { readonly signature: string; readonly keyId: string } | undefined
  /**
   * Local names of the roles that a principal (lower-case full name) may hold: all that name it, and those that only a
   * closer look decides (wildcards, groups, delegated roles). Candidates for `rolesOf` of the access engine, so that a
   * question costs what the principal has, not what the domain has.
   */
  rolesToJudge(principal: string): Iterable<string>
}
