import { authenticate, authorize, endpoint, nothing, query } from '#core/http/endpoint.ts'
import { kept, lowered, maybe, shown } from '#core/http/scalar-types.ts'
import { list, mapOf, optional, record, struct, type ValueOf } from '#core/http/wire.ts'
import { audited, inDomain, openReadErrors, owned, readErrors, unchanged, writeErrors } from './parameters.ts'
import { ResourceDomainOwnership, ResourceDomainOwnershipInput } from './resource-ownership.ts'
import { Tags, TagsInput } from './tag.ts'

/** Settings that requests and replies write alike. */
const settings = {
  description: maybe.text,
  enabled: maybe.bool,
  auditEnabled: maybe.bool,
  account: maybe.text,
  awsAccountName: maybe.text,
  ypmId: maybe.int32,
  applicationId: maybe.text,
  memberExpiryDays: maybe.int32,
  tokenExpiryMins: maybe.int32,
  serviceCertExpiryMins: maybe.int32,
  roleCertExpiryMins: maybe.int32,
  serviceExpiryDays: maybe.int32,
  groupExpiryDays: maybe.int32,
  userAuthorityFilter: maybe.text,
  azureSubscription: maybe.text,
  azureTenant: maybe.text,
  azureClient: maybe.text,
  gcpProject: maybe.text,
  gcpProjectNumber: maybe.text,
  businessService: maybe.emptyText,
  memberPurgeExpiryDays: maybe.int32,
  productId: maybe.text,
  featureFlags: maybe.int32,
  environment: maybe.emptyText,
  x509CertSignerKeyId: maybe.emptyText,
  sshCertSignerKeyId: maybe.emptyText,
  slackChannel: maybe.emptyText,
  onCall: maybe.emptyText,
  autoDeleteTenantAssumeRoleAssertions: maybe.bool,
  clientIdSelfUpdate: maybe.bool,
  externalMemberValidator: maybe.emptyText,
  costCenter: maybe.emptyText,
}

/**
 * Settings in the request that creates a domain. The resource ownership is read-only and ignored in requests; the
 * certificate DNS domain is lowered by changes of the settings only.
 */
export const newDomainSettings = {
  ...settings,
  resourceOwnership: optional(ResourceDomainOwnershipInput),
  org: maybe.loweredResource,
  certDnsDomain: maybe.text,
  signAlgorithm: maybe.loweredText,
  tags: TagsInput,
  contacts: optional(mapOf(kept.simple, kept.text)),
}

/** Settings in replies. */
export const domainSettings = {
  ...settings,
  resourceOwnership: optional(ResourceDomainOwnership),
  org: maybe.resource,
  certDnsDomain: maybe.text,
  signAlgorithm: maybe.emptyText,
  tags: Tags,
  contacts: optional(record(shown.simple, shown.text)),
}

/** Settings of a domain in a request; only members that are present change anything. */
export const DomainMetaInput = struct('DomainMeta', { ...newDomainSettings, certDnsDomain: maybe.loweredText })
export type DomainMetaInput = ValueOf<typeof DomainMetaInput>

/** Settings of a domain in a reply. */
export const DomainMeta = struct('DomainMeta', domainSettings)
export type DomainMeta = ValueOf<typeof DomainMeta>

/** Values that a setting may take. */
export const DomainMetaStoreValidValuesList = struct('DomainMetaStoreValidValuesList', {
  validValues: list(shown.text),
})
export type DomainMetaStoreValidValuesList = ValueOf<typeof DomainMetaStoreValidValuesList>

/** Settings of domains. */
export const domainMetaEndpoints = {
  putDomainMeta: endpoint({
    operation: 'putDomainMeta',
    method: 'PUT',
    path: '/domain/{name}/meta',
    group: 'Domain',
    summary: 'Changes the settings of a domain that its administrators may change.',
    params: { name: lowered.domain },
    query: unchanged,
    headers: owned,
    body: DomainMetaInput,
    access: authorize('update', '{name}:'),
    responses: { 204: nothing },
    errors: writeErrors,
  }),
  putDomainSystemMeta: endpoint({
    operation: 'putDomainSystemMeta',
    method: 'PUT',
    path: '/domain/{name}/meta/system/{attribute}',
    group: 'Domain',
    summary: 'Changes one setting of a domain that belongs to the operators.',
    params: { name: lowered.domain, attribute: lowered.simple },
    headers: audited,
    body: DomainMetaInput,
    access: authenticate,
    responses: { 204: nothing },
    errors: writeErrors,
  }),
  getDomainMetaStoreValidValuesList: endpoint({
    operation: 'getDomainMetaStoreValidValuesList',
    method: 'GET',
    path: '/domain/metastore',
    group: 'Domain',
    summary: 'Lists the values that a setting may take, for one user when a name is given.',
    // The names of the settings are told apart by letter case. One that is missing is refused by the service.
    query: { attributeName: query('attribute', maybe.text), userName: query('user', maybe.loweredText) },
    access: authenticate,
    responses: { 200: DomainMetaStoreValidValuesList },
    errors: openReadErrors,
  }),
  putResourceDomainOwnership: endpoint({
    operation: 'putResourceDomainOwnership',
    method: 'PUT',
    path: '/domain/{domainName}/ownership',
    group: 'Domain',
    summary: 'Replaces the owners of a domain.',
    params: inDomain,
    headers: audited,
    body: optional(ResourceDomainOwnershipInput),
    access: authorize('update', '{domainName}:meta.domain.ownership'),
    responses: { 204: nothing },
    errors: readErrors,
  }),
}
