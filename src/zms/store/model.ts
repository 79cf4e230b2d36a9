import type { MemberEntry, Members } from '#core/rbac/members.ts'

/**
 * The data of ZMS as the stores keep it and the services read it.
 *
 * Names are lower case and local (`readers`, not `sports:role.readers`) except members, which are full names. Times are
 * epoch milliseconds; expirations and review reminders are whole seconds. An absent text, number or flag is undefined:
 * the stores turn the empty strings, zeros and falses of a database into undefined and back, so that `''`, `0` and
 * `false` never occur where a member is optional. Objects handed out by a store are shared and must not be modified;
 * changes go through a Transaction. `rowId` is the key of the row in a SQL store and means nothing elsewhere.
 */

/** Tag values by tag key. */
export type Tags = ReadonlyMap<string, readonly string[]>

/** Owner of each component of an object, e.g. `object`, `meta`, `members` (stored as `component:owner,…`). */
export type ResourceOwnership = ReadonlyMap<string, string>

/** Settings of a domain. */
export interface DomainMeta {
  description?: string
  org?: string
  enabled: boolean
  auditEnabled: boolean
  account?: string
  awsAccountName?: string
  /** Always present; 0 when there is none. */
  ypmId: number
  applicationId?: string
  certDnsDomain?: string
  memberExpiryDays?: number
  tokenExpiryMins?: number
  serviceCertExpiryMins?: number
  roleCertExpiryMins?: number
  signAlgorithm?: string
  serviceExpiryDays?: number
  groupExpiryDays?: number
  userAuthorityFilter?: string
  azureSubscription?: string
  azureTenant?: string
  azureClient?: string
  gcpProject?: string
  gcpProjectNumber?: string
  businessService?: string
  memberPurgeExpiryDays?: number
  productId?: string
  featureFlags?: number
  environment?: string
  resourceOwnership?: ResourceOwnership
  x509CertSignerKeyId?: string
  sshCertSignerKeyId?: string
  slackChannel?: string
  onCall?: string
  autoDeleteTenantAssumeRoleAssertions: boolean
  clientIdSelfUpdate: boolean
  externalMemberValidator?: string
  costCenter?: string
}

/** A domain without what it holds. */
export interface DomainBase extends DomainMeta {
  name: string
  /** UUID, never reused. */
  id: string
  /** Moves forward with every change of anything in the domain; strictly increasing. */
  modified: number
  created: number
  tags?: Tags
  /** Contact type → user. */
  contacts?: ReadonlyMap<string, string>
  rowId?: number
}

/** A domain with all it holds, as a consistent whole of one moment. */
export interface Domain extends DomainBase {
  readonly roles: ReadonlyMap<string, Role>
  readonly groups: ReadonlyMap<string, Group>
  /** Policy name → version → policy version; at least one version each, at most one active. */
  readonly policies: ReadonlyMap<string, ReadonlyMap<string, Policy>>
  readonly services: ReadonlyMap<string, Service>
  readonly entities: ReadonlyMap<string, Entity>
  /** Applied template → its version when applied. */
  readonly templates: ReadonlyMap<string, number>
  readonly quota?: Quota
  /** Moves with every change of a policy or assertion; what is compiled from the policies is kept by it. Memory only. */
  readonly policiesRevision: number
}

/** Settings that roles and groups share. */
interface CollectionMeta {
  name: string
  modified: number
  created: number
  auditEnabled?: boolean
  selfServe?: boolean
  reviewEnabled?: boolean
  deleteProtection?: boolean
  selfRenew?: boolean
  selfRenewMins?: number
  maxMembers?: number
  memberExpiryDays?: number
  serviceExpiryDays?: number
  notifyRoles?: string
  notifyDetails?: string
  userAuthorityFilter?: string
  userAuthorityExpiration?: string
  principalDomainFilter?: string
  /** When the members were reviewed last. */
  lastReviewedDate?: number
  tags?: Tags
  resourceOwnership?: ResourceOwnership
  rowId?: number
}

/** A role without its members. */
export interface RoleBase extends CollectionMeta {
  /** Domain the role is delegated to. */
  trust?: string
  description?: string
  tokenExpiryMins?: number
  certExpiryMins?: number
  signAlgorithm?: string
  groupExpiryDays?: number
  memberReviewDays?: number
  serviceReviewDays?: number
  groupReviewDays?: number
}

/** A role with its active and pending members. */
export interface Role extends RoleBase {
  readonly members: Members<RoleMember>
  readonly pending: ReadonlyMap<string, PendingRoleMember>
}

/** A membership in a role that counts (unless expired or disabled). */
export interface RoleMember extends MemberEntry {
  /** Full lower-case name: user, service, group, external member or wildcard. */
  memberName: string
  expiration?: number
  reviewReminder?: number
  auditRef?: string
  requestPrincipal?: string
  /** Bits: 1 authority filter, 2 suspended by the authority, 4 suspended by the operator. */
  systemDisabled?: number
  lastNotifiedTime?: number
  reviewLastNotifiedTime?: number
  /** Servers that sent the notices, for the once-a-day lock between servers. */
  server?: string
  reviewServer?: string
}

/** What a request for a membership asks for. */
export type PendingState = 'ADD' | 'DELETE'

/** A requested change of membership that awaits a decision; never counts. */
export interface PendingRoleMember {
  memberName: string
  expiration?: number
  reviewReminder?: number
  auditRef?: string
  requestPrincipal?: string
  requestTime: number
  lastNotifiedTime?: number
  server?: string
  pendingState: PendingState
}

/** A group without its members. */
export type GroupBase = CollectionMeta

/** A group with its active and pending members. */
export interface Group extends GroupBase {
  readonly members: Members<GroupMember>
  readonly pending: ReadonlyMap<string, PendingGroupMember>
}

/** A membership in a group that counts (unless expired or disabled). */
export type GroupMember = Omit<RoleMember, 'reviewReminder' | 'reviewLastNotifiedTime' | 'reviewServer'>

/** A requested change of group membership. */
export type PendingGroupMember = Omit<PendingRoleMember, 'reviewReminder'>

/** A policy version without its assertions. */
export interface PolicyBase {
  name: string
  version: string
  active: boolean
  description?: string
  modified: number
  created: number
  tags?: Tags
  resourceOwnership?: ResourceOwnership
  rowId?: number
}

/** A policy version with its assertions in the order they were added. */
export interface Policy extends PolicyBase {
  readonly assertions: ReadonlyMap<number, Assertion>
}

export type AssertionEffect = 'ALLOW' | 'DENY'

/** A rule of a policy; `role` is the local name (or pattern) of a role of the same domain. */
export interface Assertion {
  /**
   * Unique over all domains; given by the store when the transaction commits. Undefined in a change that adds one; the
   * view of the transaction then has a negative stand-in, by which later changes of the transaction may name it.
   */
  id?: number
  role: string
  resource: string
  action: string
  effect: AssertionEffect
  /** Condition id → key → operator and value. */
  conditions?: ReadonlyMap<number, AssertionCondition>
}

/** Keys of one condition; all of them must hold. */
export type AssertionCondition = ReadonlyMap<string, { readonly operator: string; readonly value: string }>

/** A service without its keys and hosts. */
export interface ServiceBase {
  name: string
  description?: string
  providerEndpoint?: string
  executable?: string
  user?: string
  group?: string
  modified: number
  created: number
  tags?: Tags
  resourceOwnership?: ResourceOwnership
  x509CertSignerKeyId?: string
  sshCertSignerKeyId?: string
  /** Encrypted credentials. */
  creds?: string
  clientId?: string
  featureFlags?: number
  rowId?: number
}

/** A service with its public keys (key id → ybase64 of the PEM) and hosts. */
export interface Service extends ServiceBase {
  readonly publicKeys: ReadonlyMap<string, string>
  readonly hosts: ReadonlySet<string>
}

/** A named JSON object of a domain. */
export interface Entity {
  name: string
  /** JSON text of the value. */
  value: string
  modified: number
  created: number
}

/** Limits of a domain that replace the server's. */
export interface Quota {
  subdomain: number
  role: number
  roleMember: number
  policy: number
  assertion: number
  entity: number
  service: number
  serviceHost: number
  publicKey: number
  group: number
  groupMember: number
  modified: number
}

/** One line in the history of a role's or group's members. */
export interface MemberAudit {
  /** Who did it (full name). */
  admin: string
  member: string
  /** Whole seconds. */
  created: number
  action: 'ADD' | 'UPDATE' | 'DELETE' | 'APPROVE' | 'REJECT' | 'REQUEST' | 'ENABLE' | 'DISABLE'
  auditRef?: string
}
