import type { UserDomainInput } from '../api/domain.ts'
import type { DomainBase } from '../store/model.ts'
import { compact, ownershipReply, tagsReply, timestamp } from './wire-form.ts'

/** The settings of a domain as the API writes them. */
export function domainSettingsReply(domain: DomainBase): Record<string, unknown> {
  const { contacts } = domain
  return compact({
    description: domain.description,
    org: domain.org,
    enabled: domain.enabled,
    auditEnabled: domain.auditEnabled,
    account: domain.account,
    awsAccountName: domain.awsAccountName,
    ypmId: domain.ypmId,
    applicationId: domain.applicationId,
    certDnsDomain: domain.certDnsDomain,
    memberExpiryDays: domain.memberExpiryDays,
    tokenExpiryMins: domain.tokenExpiryMins,
    serviceCertExpiryMins: domain.serviceCertExpiryMins,
    roleCertExpiryMins: domain.roleCertExpiryMins,
    signAlgorithm: domain.signAlgorithm,
    serviceExpiryDays: domain.serviceExpiryDays,
    groupExpiryDays: domain.groupExpiryDays,
    userAuthorityFilter: domain.userAuthorityFilter,
    azureSubscription: domain.azureSubscription,
    azureTenant: domain.azureTenant,
    azureClient: domain.azureClient,
    gcpProject: domain.gcpProject,
    gcpProjectNumber: domain.gcpProjectNumber,
    tags: tagsReply(domain.tags),
    businessService: domain.businessService,
    memberPurgeExpiryDays: domain.memberPurgeExpiryDays,
    productId: domain.productId,
    featureFlags: domain.featureFlags,
    contacts: contacts && contacts.size > 0 ? Object.fromEntries(contacts) : undefined,
    environment: domain.environment,
    resourceOwnership: ownershipReply(domain.resourceOwnership),
    x509CertSignerKeyId: domain.x509CertSignerKeyId,
    sshCertSignerKeyId: domain.sshCertSignerKeyId,
    slackChannel: domain.slackChannel,
    onCall: domain.onCall,
    autoDeleteTenantAssumeRoleAssertions: domain.autoDeleteTenantAssumeRoleAssertions,
    clientIdSelfUpdate: domain.clientIdSelfUpdate,
    externalMemberValidator: domain.externalMemberValidator,
    costCenter: domain.costCenter,
  })
}

/** A domain as `getDomain` writes it. */
export function domainReply(domain: DomainBase): Record<string, unknown> {
  return { ...domainSettingsReply(domain), name: domain.name, modified: timestamp(domain.modified), id: domain.id }
}

/**
 * A domain as the operations that create one write it: whether it is enabled, and the product number, which only
 * top-level domains can have from the beginning, are left out. What the request says is repeated, also zeros and empty
 * texts that reading leaves out.
 */
export function newDomainReply(domain: DomainBase, detail: UserDomainInput): Record<string, unknown> {
  const { enabled: _, ypmId: __, ...reply } = domainReply(domain)
  for (const key of REPEATED) {
    const given = detail[key]
    if (given === 0 || given === '') reply[key] = given
  }
  if (detail.tags && detail.tags.size > 0) reply['tags'] = detail.tags
  return reply
}

/** Numbers and texts that are written also when they are 0 and empty. */
const REPEATED = [
  'memberExpiryDays',
  'tokenExpiryMins',
  'serviceCertExpiryMins',
  'roleCertExpiryMins',
  'signAlgorithm',
  'serviceExpiryDays',
  'groupExpiryDays',
  'businessService',
  'memberPurgeExpiryDays',
  'featureFlags',
  'environment',
  'x509CertSignerKeyId',
  'sshCertSignerKeyId',
  'slackChannel',
  'onCall',
  'externalMemberValidator',
  'costCenter',
] as const
