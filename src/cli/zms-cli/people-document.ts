import { readTimestamp } from './argument-values.ts'
import { readAssertion } from './assertion-words.ts'
import type { Tags } from './collection-text.ts'
import {
  listIn,
  type Members,
  mapOf,
  neededText,
  numberIn,
  present,
  switchIn,
  textIn,
  textsIn,
} from './document-values.ts'
import type { DocumentService, DomainDocument } from './domain-document.ts'
import { fullName } from './names.ts'

/** A domain in the form for people. */
export function peopleDocument(root: object): DomainDocument {
  const domain = mapOf((root as Members)['domain'], 'domain')
  const name = neededText(domain, 'name')
  const each = <T>(list: string, read: (members: Members, domain: string) => T): T[] =>
    listIn(domain, list).map((value) => read(mapOf(value, `an item of ${list}`), name))
  return {
    name,
    settings: settingsIn(domain),
    roles: each('roles', roleIn),
    groups: each('groups', groupIn),
    policies: each('policies', policyIn),
    services: each('services', serviceIn),
    entities: each('entities', entityIn),
  }
}

const settingsIn = (domain: Members): DomainDocument['settings'] =>
  present({
    description: textIn(domain, 'description'),
    account: textIn(domain, 'aws_account'),
    azureSubscription: textIn(domain, 'azure_subscription'),
    azureTenant: textIn(domain, 'azure_tenant'),
    azureClient: textIn(domain, 'azure_client'),
    gcpProject: textIn(domain, 'gcp_project'),
    gcpProjectNumber: textIn(domain, 'gcp_project_number'),
    applicationId: textIn(domain, 'application_id'),
    businessService: textIn(domain, 'business_service'),
    costCenter: textIn(domain, 'cost_center'),
    productId: textIn(domain, 'product_id'),
    ypmId: numberIn(domain, 'ypm_id'),
    org: textIn(domain, 'org'),
    auditEnabled: switchIn(domain, 'audit_enabled'),
    userAuthorityFilter: textIn(domain, 'user_authority_filter'),
    memberExpiryDays: numberIn(domain, 'member_expiry_days'),
    serviceExpiryDays: numberIn(domain, 'service_expiry_days'),
    tokenExpiryMins: numberIn(domain, 'token_expiry_mins'),
    serviceCertExpiryMins: numberIn(domain, 'service_cert_expiry_mins'),
    roleCertExpiryMins: numberIn(domain, 'role_cert_expiry_mins'),
    signAlgorithm: textIn(domain, 'sign_algorithm'),
    memberPurgeExpiryDays: numberIn(domain, 'member_purge_expiry_days'),
    tags: tagsIn(domain),
  }) as DomainDocument['settings']

/** Settings that roles and groups have alike. */
const collectionSettings = (members: Members) => ({
  memberExpiryDays: numberIn(members, 'member_expiry_days'),
  serviceExpiryDays: numberIn(members, 'service_expiry_days'),
  auditEnabled: switchIn(members, 'audit_enabled'),
  reviewEnabled: switchIn(members, 'review_enabled'),
  selfServe: switchIn(members, 'self_serve'),
  notifyRoles: textIn(members, 'notify_roles'),
  userAuthorityFilter: textIn(members, 'user_authority_filter'),
  userAuthorityExpiration: textIn(members, 'user_authority_expiration'),
  tags: tagsIn(members),
})

const roleIn = (members: Members, domain: string): DomainDocument['roles'][number] =>
  present({
    name: fullName(domain, 'role', neededText(members, 'name')),
    ...collectionSettings(members),
    tokenExpiryMins: numberIn(members, 'token_expiry_mins'),
    certExpiryMins: numberIn(members, 'cert_expiry_mins'),
    memberReviewDays: numberIn(members, 'member_review_days'),
    serviceReviewDays: numberIn(members, 'service_review_days'),
    groupExpiryDays: numberIn(members, 'group_expiry_days'),
    groupReviewDays: numberIn(members, 'group_review_days'),
    signAlgorithm: textIn(members, 'sign_algorithm'),
    description: textIn(members, 'description'),
    trust: textIn(members, 'trust'),
    roleMembers: membersIn(members),
  }) as DomainDocument['roles'][number]

const groupIn = (members: Members, domain: string): DomainDocument['groups'][number] =>
  present({
    name: fullName(domain, 'group', neededText(members, 'name')),
    ...collectionSettings(members),
    groupMembers: membersIn(members),
  }) as DomainDocument['groups'][number]

/** Members by name alone, as old files have them, or with dates; nobody who waits for approval. */
function membersIn(members: Members): object[] | undefined {
  const list = listIn(members, 'members').flatMap((value) => {
    if (typeof value === 'string') return [{ memberName: value }]
    const member = mapOf(value, 'a member')
    if (switchIn(member, 'pending')) return []
    const [expiration, review] = [textIn(member, 'expiration'), textIn(member, 'review')]
    return [
      present({
        memberName: neededText(member, 'name'),
        expiration: expiration && readTimestamp(expiration),
        reviewReminder: review && readTimestamp(review),
      }),
    ]
  })
  return list.length === 0 ? undefined : list
}

function tagsIn(members: Members): Tags | undefined {
  const entries = listIn(members, 'tags').map((value): [string, { list: string[] }] => {
    const tag = mapOf(value, 'a tag')
    return [neededText(tag, 'key'), { list: textsIn(tag, 'values') ?? [] }]
  })
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}

function policyIn(members: Members, domain: string): DomainDocument['policies'][number] {
  const assertions = (textsIn(members, 'assertions') ?? []).map((text) => readAssertion(domain, text.split(' ')))
  return present({
    name: fullName(domain, 'policy', neededText(members, 'name')),
    version: textIn(members, 'version'),
    active: switchIn(members, 'active'),
    assertions,
  }) as DomainDocument['policies'][number]
}

function serviceIn(members: Members, domain: string): DocumentService {
  const name = neededText(members, 'name')
  const publicKeys = listIn(members, 'publicKeys').map((value) => {
    const key = mapOf(value, 'a public key')
    return { id: neededText(key, 'keyId'), key: neededText(key, 'value') }
  })
  const service = present({
    name: name.startsWith(`${domain}.`) ? name : `${domain}.${name}`,
    executable: textIn(members, 'executable'),
    user: textIn(members, 'user'),
    group: textIn(members, 'group'),
    hosts: textsIn(members, 'hosts'),
    publicKeys,
  }) as DocumentService['service']
  return { service, providerEndpoint: textIn(members, 'providerEndpoint') }
}

function entityIn(members: Members, domain: string): DomainDocument['entities'][number] {
  const values = listIn(members, 'value').map((value): [string, string] => {
    const pair = mapOf(value, 'a value of an entity')
    return [neededText(pair, 'key'), textIn(pair, 'data') ?? '']
  })
  return { name: fullName(domain, 'entity', neededText(members, 'name')), value: Object.fromEntries(values) }
}
