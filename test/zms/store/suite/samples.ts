import { Members } from '#core/rbac/members.ts'
import { emptyDomain as emptyDomainWith } from '#zms/store/empty-domain.ts'
import type {
  Assertion,
  Domain,
  DomainBase,
  Group,
  GroupBase,
  GroupMember,
  PendingGroupMember,
  PendingRoleMember,
  Policy,
  PolicyBase,
  Quota,
  Role,
  RoleBase,
  RoleMember,
  Service,
  ServiceBase,
} from '#zms/store/model.ts'

/** Objects in which every member has a value of its own, so that a forgotten or mistaken one is seen. */

const STAMPS = { modified: 0, created: 0 }
const HOUR = 3_600_000
const TIME = Date.UTC(2030, 0, 31, 12, 30, 15)

/** Settings of a domain with nothing set that can be absent. */
export const plainSettings = (name: string): DomainBase => ({
  name,
  id: `id-of-${name}`,
  ...STAMPS,
  enabled: true,
  auditEnabled: false,
  ypmId: 0,
  autoDeleteTenantAssumeRoleAssertions: false,
  clientIdSelfUpdate: false,
})

/** All settings of a domain. */
export const allSettings = (name: string): DomainBase => ({
  name,
  id: `id-of-${name}`,
  ...STAMPS,
  description: 'description of a domain',
  org: 'org-1',
  enabled: false,
  auditEnabled: true,
  account: '123456789012,234567890123',
  awsAccountName: 'account name',
  ypmId: 4711,
  applicationId: 'application-1',
  certDnsDomain: 'athenz.example.com',
  memberExpiryDays: 11,
  tokenExpiryMins: 12,
  serviceCertExpiryMins: 13,
  roleCertExpiryMins: 14,
  signAlgorithm: 'rsa',
  serviceExpiryDays: 15,
  groupExpiryDays: 16,
  userAuthorityFilter: 'OnShore-US',
  azureSubscription: 'subscription-1',
  azureTenant: 'tenant-1',
  azureClient: 'client-1',
  gcpProject: 'project-1',
  gcpProjectNumber: '1234',
  businessService: 'business-1',
  memberPurgeExpiryDays: 17,
  productId: 'product-1',
  featureFlags: 18,
  environment: 'production',
  resourceOwnership: new Map([
    ['object', 'terraform'],
    ['meta', 'gitops'],
  ]),
  x509CertSignerKeyId: 'x509-key',
  sshCertSignerKeyId: 'ssh-key',
  slackChannel: 'athenz',
  onCall: 'team-1',
  autoDeleteTenantAssumeRoleAssertions: true,
  clientIdSelfUpdate: true,
  externalMemberValidator: 'validator-1',
  costCenter: 'cost-1',
  tags: new Map([
    ['owner', ['joe', 'jane']],
    ['Tier', ['1']],
  ]),
  contacts: new Map([
    ['security-contact', 'user.jane'],
    ['product-owner', 'user.joe'],
  ]),
})

/** Settings of a role or group with nothing set that can be absent. */
export const plainCollection = (name: string): GroupBase => ({ name, ...STAMPS })

/** All settings of a group. */
export const allGroupSettings = (name: string): GroupBase => ({
  name,
  ...STAMPS,
  auditEnabled: true,
  selfServe: true,
  reviewEnabled: true,
  deleteProtection: true,
  selfRenew: true,
  selfRenewMins: 21,
  maxMembers: 22,
  memberExpiryDays: 23,
  serviceExpiryDays: 24,
  notifyRoles: 'admin,sports:role.readers',
  notifyDetails: 'details',
  userAuthorityFilter: 'OnShore-UK',
  userAuthorityExpiration: 'elevated-clearance',
  principalDomainFilter: 'user,sports',
  lastReviewedDate: TIME,
  tags: new Map([['cost', ['high']]]),
  resourceOwnership: new Map([['members', 'terraform']]),
})

/** All settings of a role. */
export const allRoleSettings = (name: string): RoleBase => ({
  ...allGroupSettings(name),
  trust: 'trusted.domain',
  description: 'description of a role',
  tokenExpiryMins: 31,
  certExpiryMins: 32,
  signAlgorithm: 'ec',
  groupExpiryDays: 33,
  memberReviewDays: 34,
  serviceReviewDays: 35,
  groupReviewDays: 36,
})

/** All of a membership in a group. */
export const fullGroupMember = (memberName: string): GroupMember => ({
  memberName,
  expiration: TIME,
  auditRef: 'ticket-1',
  requestPrincipal: 'user.requester',
  systemDisabled: 5,
  lastNotifiedTime: TIME + 7,
  server: 'zms-1',
})

/** All of a membership in a role. */
export const fullRoleMember = (memberName: string): RoleMember => ({
  ...fullGroupMember(memberName),
  reviewReminder: TIME + HOUR,
  reviewLastNotifiedTime: TIME + 8,
  reviewServer: 'zms-2',
})

/** All of a requested membership in a group. */
export const fullPendingGroupMember = (memberName: string): PendingGroupMember => ({
  memberName,
  expiration: TIME,
  auditRef: 'ticket-2',
  requestPrincipal: 'user.requester',
  requestTime: TIME + 123,
  lastNotifiedTime: TIME + 9,
  server: 'zms-3',
  pendingState: 'DELETE',
})

/** All of a requested membership in a role. */
export const fullPendingRoleMember = (memberName: string): PendingRoleMember => ({
  ...fullPendingGroupMember(memberName),
  reviewReminder: TIME + HOUR,
})

/** A role with these members. */
export const roleWith = (name: string, members: readonly (string | RoleMember)[] = []): Role => ({
  ...plainCollection(name),
  members: new Members(members.map((member) => (typeof member === 'string' ? { memberName: member } : member))),
  pending: new Map(),
})

/** A group with these members. */
export const groupWith = (name: string, members: readonly (string | GroupMember)[] = []): Group =>
  roleWith(name, members)

/** All settings of a policy version. */
export const allPolicySettings = (name: string, version = '0'): PolicyBase => ({
  name,
  version,
  active: true,
  description: 'description of a policy',
  ...STAMPS,
  tags: new Map([['team', ['blue', 'green']]]),
  resourceOwnership: new Map([['assertions', 'terraform']]),
})

/** An assertion without conditions. */
export const assertionOn = (resource: string, role = 'readers', action = 'read'): Assertion => ({
  role,
  resource,
  action,
  effect: 'ALLOW',
})

/** A policy version with these assertions. */
export const policyWith = (name: string, assertions: readonly Assertion[] = [], version = '0'): Policy => ({
  name,
  version,
  active: true,
  ...STAMPS,
  assertions: new Map(assertions.map((assertion, index) => [-1 - index, assertion])),
})

/** All settings of a service. */
export const allServiceSettings = (name: string): ServiceBase => ({
  name,
  description: 'description of a service',
  providerEndpoint: 'https://provider.example.com:4443',
  executable: '/usr/bin/service',
  user: 'nobody',
  group: 'nogroup',
  ...STAMPS,
  tags: new Map([['lang', ['ts']]]),
  resourceOwnership: new Map([['publickeys', 'terraform']]),
  x509CertSignerKeyId: 'x509-key',
  sshCertSignerKeyId: 'ssh-key',
  creds: 'encrypted',
  clientId: 'client-1',
  featureFlags: 41,
})

/** A service without keys and hosts. */
export const plainService = (name: string): Service => ({ name, ...STAMPS, publicKeys: new Map(), hosts: new Set() })

/** Limits, each of its own. */
export const fullQuota = (): Omit<Quota, 'modified'> => ({
  subdomain: 51,
  role: 52,
  roleMember: 53,
  policy: 54,
  assertion: 55,
  entity: 56,
  service: 57,
  serviceHost: 58,
  publicKey: 59,
  group: 60,
  groupMember: 61,
})

/** A domain that holds nothing. */
export const emptyDomain = (name: string): Domain => emptyDomainWith(plainSettings(name))

/** A domain with these parts. */
export const domainWith = (
  name: string,
  parts: {
    settings?: Partial<DomainBase>
    roles?: readonly Role[]
    groups?: readonly Group[]
    policies?: readonly Policy[]
    services?: readonly Service[]
  },
): Domain => ({
  ...emptyDomain(name),
  ...parts.settings,
  roles: named(parts.roles ?? []),
  groups: named(parts.groups ?? []),
  policies: new Map((parts.policies ?? []).map((policy) => [policy.name, new Map([[policy.version, policy]])])),
  services: named(parts.services ?? []),
})

const named = <T extends { name: string }>(objects: readonly T[]) =>
  new Map(objects.map((object) => [object.name, object]))

/** A domain that holds one of everything with every member set. */
export function fullDomain(name: string): Domain {
  const conditions = new Map([
    [1, new Map([['instances', { operator: 'EQUALS', value: 'host-1,host-2' }]])],
    [
      2,
      new Map([
        ['enforcementstate', { operator: 'EQUALS', value: 'report' }],
        ['instances', { operator: 'EQUALS', value: '*' }],
      ]),
    ],
  ])
  return {
    ...emptyDomain(name),
    ...allSettings(name),
    roles: named([
      roleWith('admin', ['user.admin']),
      {
        ...allRoleSettings('readers'),
        members: new Members([
          fullRoleMember('user.joe'),
          { memberName: `${name}:group.team` },
          { memberName: 'user.*' },
          { memberName: `${name}.api` },
        ]),
        pending: new Map([['user.late', fullPendingRoleMember('user.late')]]),
      },
    ]),
    groups: named([
      groupWith('empty'),
      {
        ...allGroupSettings('team'),
        members: new Members([fullGroupMember('user.jane'), { memberName: 'user.jack' }]),
        pending: new Map([['user.later', fullPendingGroupMember('user.later')]]),
      },
    ]),
    policies: new Map([
      ['admin', new Map([['0', policyWith('admin', [assertionOn(`${name}:*`, 'admin', '*')])]])],
      [
        'read',
        new Map([
          [
            '0',
            {
              ...policyWith('read', [
                { ...assertionOn(`${name}:Table`), conditions },
                { ...assertionOn(`${name}:secret.*`, 'readers', 'Delete'), effect: 'DENY' },
              ]),
              ...allPolicySettings('read'),
            },
          ],
          ['draft', { ...policyWith('read', [assertionOn(`${name}:draft`)], 'draft'), active: false }],
        ]),
      ],
    ]),
    services: named([
      plainService('worker'),
      {
        ...allServiceSettings('api'),
        publicKeys: new Map([
          ['0', 'LS0tLS1CRUdJTi0'],
          ['v1', 'LS0tLS1CRUdJTi1'],
        ]),
        hosts: new Set(['host1.example.com', 'host2.example.com']),
      },
    ]),
    entities: new Map([['settings', { name: 'settings', value: '{"a":[1,"two"]}', ...STAMPS }]]),
    templates: new Map([
      ['vipng', 2],
      ['platforms', 7],
    ]),
    quota: { ...fullQuota(), modified: 0 },
  }
}
