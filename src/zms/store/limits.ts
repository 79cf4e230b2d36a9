import { badRequest } from '#core/error/service-error.ts'
import type { Change } from './change.ts'
import type {
  Assertion,
  AssertionCondition,
  Domain,
  DomainBase,
  Entity,
  GroupBase,
  MemberAudit,
  PendingRoleMember,
  PolicyBase,
  ResourceOwnership,
  RoleBase,
  RoleMember,
  ServiceBase,
  Tags,
} from './model.ts'

/** Greatest numbers of characters of the texts of one type of object. */
type Limits<T> = { readonly [K in keyof T]?: number }

const DOMAIN: Limits<DomainBase> = {
  name: 512,
  description: 4096,
  org: 1024,
  id: 128,
  account: 512,
  applicationId: 128,
  certDnsDomain: 256,
  signAlgorithm: 64,
  userAuthorityFilter: 512,
  azureSubscription: 128,
  azureTenant: 128,
  azureClient: 128,
  businessService: 256,
  gcpProject: 128,
  gcpProjectNumber: 64,
  productId: 128,
  environment: 32,
  x509CertSignerKeyId: 64,
  sshCertSignerKeyId: 64,
  slackChannel: 80,
  onCall: 128,
  awsAccountName: 2048,
  externalMemberValidator: 256,
  costCenter: 64,
}
const GROUP: Limits<GroupBase> = {
  name: 512,
  notifyRoles: 512,
  notifyDetails: 512,
  userAuthorityFilter: 512,
  userAuthorityExpiration: 64,
  principalDomainFilter: 1024,
}
const ROLE: Limits<RoleBase> = { ...GROUP, trust: 512, description: 4096, signAlgorithm: 64 }
const MEMBER: Limits<RoleMember> = {
  memberName: 512,
  auditRef: 512,
  requestPrincipal: 512,
  server: 512,
  reviewServer: 512,
}
const PENDING_MEMBER: Limits<PendingRoleMember> = {
  memberName: 512,
  auditRef: 512,
  requestPrincipal: 512,
  server: 255,
  pendingState: 12,
}
const AUDIT: Limits<MemberAudit> = { admin: 512, member: 512, action: 32, auditRef: 512 }
const POLICY: Limits<PolicyBase> = { name: 512, version: 32, description: 4096 }
const ASSERTION: Limits<Assertion> = { role: 512, resource: 512, action: 128, effect: 16 }
const SERVICE: Limits<ServiceBase> = {
  name: 512,
  description: 4096,
  providerEndpoint: 512,
  executable: 256,
  user: 256,
  group: 256,
  x509CertSignerKeyId: 64,
  sshCertSignerKeyId: 64,
  creds: 256,
  clientId: 256,
}
const ENTITY: Limits<Entity> = { name: 256 }

/**
 * How many characters every text may have, by type of object: the sizes of the columns of the original's database, so
 * that what one store takes every store takes.
 */
export const TEXT_LIMITS = {
  domain: DOMAIN,
  role: ROLE,
  group: GROUP,
  member: MEMBER,
  pendingMember: PENDING_MEMBER,
  audit: AUDIT,
  policy: POLICY,
  assertion: ASSERTION,
  service: SERVICE,
  entity: ENTITY,
  condition: { key: 64, operator: 16, value: 2048 },
  tag: { key: 64, value: 256 },
  contact: { type: 64, name: 512 },
  publicKey: { keyId: 128 },
  host: { name: 512 },
  template: { template: 64 },
  dependency: { domain: 512, service: 1024 },
  principal: { name: 512 },
  /** As the text `component:owner,…`. */
  resourceOwnership: { text: 256 },
} as const

/** Greatest numbers of bytes, in UTF-8, of texts that have no limit in characters: a key and the value of an entity. */
export const BYTE_LIMITS = { publicKey: 16_777_215, entity: 16_777_215 } as const

/** 400 "Schema violation - data too long" when a text of the change is longer than its limit. */
export function requireWithinLimits(change: Change): void {
  switch (change.kind) {
    case 'createDomain':
      requireDomain(change.value)
      return
    case 'putDomain':
      requireSettings(change.value, DOMAIN)
      requireContacts(change.value.contacts)
      return
    case 'putRole':
      requireSettings(change.value, ROLE)
      return
    case 'putGroup':
      requireSettings(change.value, GROUP)
      return
    case 'putRoleMember':
    case 'putGroupMember':
      requireTexts(change.value, MEMBER)
      return
    case 'putPendingRoleMember':
    case 'putPendingGroupMember':
      requireTexts(change.value, PENDING_MEMBER)
      return
    case 'addRoleAudit':
    case 'addGroupAudit':
      requireTexts(change.value, AUDIT)
      return
    case 'putPolicy':
      requireSettings(change.value, POLICY)
      return
    case 'putAssertion':
      requireAssertion(change.value)
      return
    case 'putConditions':
      requireConditions(change.value)
      return
    case 'putService':
      requireSettings(change.value, SERVICE)
      return
    case 'putPublicKey':
      requirePublicKey(change.keyId, change.key)
      return
    case 'putHosts':
      requireHosts(change.hosts)
      return
    case 'putEntity':
      requireEntity(change.value)
      return
    case 'putTemplate':
      requireTexts(change, TEXT_LIMITS.template)
      return
    case 'putDependency':
      requireText(change.dependentDomain, TEXT_LIMITS.dependency.domain)
      requireText(change.service, TEXT_LIMITS.dependency.service)
      return
    case 'putPrincipal':
      requireText(change.principal, TEXT_LIMITS.principal.name)
      return
    default:
      return
  }
}

function requireDomain(domain: Domain): void {
  requireSettings(domain, DOMAIN)
  requireContacts(domain.contacts)
  for (const [collections, limits] of [
    [domain.roles, ROLE],
    [domain.groups, GROUP],
  ] as const) {
    for (const collection of collections.values()) {
      requireSettings(collection, limits)
      for (const member of collection.members.values()) requireTexts(member, MEMBER)
      for (const member of collection.pending.values()) requireTexts(member, PENDING_MEMBER)
    }
  }
  for (const versions of domain.policies.values()) {
    for (const policy of versions.values()) {
      requireSettings(policy, POLICY)
      for (const assertion of policy.assertions.values()) requireAssertion(assertion)
    }
  }
  for (const service of domain.services.values()) {
    requireSettings(service, SERVICE)
    for (const [keyId, key] of service.publicKeys) requirePublicKey(keyId, key)
    requireHosts(service.hosts)
  }
  for (const entity of domain.entities.values()) requireEntity(entity)
  for (const template of domain.templates.keys()) requireText(template, TEXT_LIMITS.template.template)
}

function requireSettings<T extends { tags?: Tags; resourceOwnership?: ResourceOwnership }>(
  settings: T,
  limits: Limits<T>,
): void {
  requireTexts(settings, limits)
  for (const [key, values] of settings.tags ?? []) {
    requireText(key, TEXT_LIMITS.tag.key)
    for (const value of values) requireText(value, TEXT_LIMITS.tag.value)
  }
  const owners = [...(settings.resourceOwnership ?? [])].map(([component, owner]) => `${component}:${owner}`)
  requireText(owners.join(','), TEXT_LIMITS.resourceOwnership.text)
}

function requireContacts(contacts: ReadonlyMap<string, string> | undefined): void {
  for (const [type, name] of contacts ?? []) {
    requireText(type, TEXT_LIMITS.contact.type)
    requireText(name, TEXT_LIMITS.contact.name)
  }
}

function requireAssertion(assertion: Assertion): void {
  requireTexts(assertion, ASSERTION)
  requireConditions(assertion.conditions ?? new Map())
}

function requireConditions(conditions: ReadonlyMap<number, AssertionCondition>): void {
  for (const keys of conditions.values()) {
    for (const [key, { operator, value }] of keys) {
      requireText(key, TEXT_LIMITS.condition.key)
      requireText(operator, TEXT_LIMITS.condition.operator)
      requireText(value, TEXT_LIMITS.condition.value)
    }
  }
}

function requirePublicKey(keyId: string, key: string): void {
  requireText(keyId, TEXT_LIMITS.publicKey.keyId)
  requireBytes(key, BYTE_LIMITS.publicKey)
}

function requireHosts(hosts: ReadonlySet<string>): void {
  for (const host of hosts) requireText(host, TEXT_LIMITS.host.name)
}

function requireEntity(entity: Pick<Entity, 'name' | 'value'>): void {
  requireTexts(entity, ENTITY)
  requireBytes(entity.value, BYTE_LIMITS.entity)
}

function requireTexts<T extends object>(object: T, limits: Limits<T>): void {
  for (const name of Object.keys(limits) as (keyof T)[]) {
    const value: unknown = object[name]
    if (typeof value === 'string') requireText(value, limits[name] as number)
  }
}

function requireText(text: string, limit: number): void {
  // A character outside of the basic plane counts once and takes two units.
  if (text.length <= limit) return
  if (text.length > 2 * limit || Array.from(text).length > limit) throw tooLong()
}

function requireBytes(text: string, limit: number): void {
  if (text.length * 3 > limit && Buffer.byteLength(text) > limit) throw tooLong()
}

const tooLong = () => badRequest('Schema violation - data too long')
