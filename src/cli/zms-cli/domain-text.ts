import type { Domain } from '#zms/api/domain.ts'
import type { Entity } from '#zms/api/entity.ts'
import type { Group } from '#zms/api/group.ts'
import type { Policy } from '#zms/api/policy.ts'
import type { Role } from '#zms/api/role.ts'
import type { ServiceIdentity } from '#zms/api/service-identity.ts'
import type { SignedDomain } from '#zms/api/signed-domains.ts'
import { groupLines, roleLines, type Tags, tagLines } from './collection-text.ts'
import { fields, indented, item } from './lines.ts'
import { localName, type NameStyle } from './names.ts'
import { policyLines } from './policy-text.ts'
import { serviceLines } from './service-text.ts'

/** What a domain has. */
export interface DomainContents {
  readonly tags?: Tags | undefined
  readonly roles: readonly Role[]
  readonly groups: readonly Group[]
  readonly policies: readonly Policy[]
  readonly services: readonly ServiceIdentity[]
  readonly entities?: readonly Entity[]
}

/** Name and settings of a domain. */
export function domainAttributes(domain: Domain): string[] {
  return [
    `name: ${domain.name}`,
    ...fields([
      ['description', domain.description],
      ['aws_account', domain.account],
      ['azure_subscription', domain.azureSubscription],
      ['azure_tenant', domain.azureTenant],
      ['azure_client', domain.azureClient],
      ['gcp_project', domain.gcpProject],
      ['gcp_project_number', domain.gcpProjectNumber],
      ['application_id', domain.applicationId],
      ['business_service', domain.businessService],
      ['cost_center', domain.costCenter],
      ['product_id', domain.productId],
      ['ypm_id', domain.ypmId || undefined],
      ['org', domain.org],
      ['audit_enabled', domain.auditEnabled ?? false],
      ['user_authority_filter', domain.userAuthorityFilter],
      ['member_expiry_days', domain.memberExpiryDays],
      ['service_expiry_days', domain.serviceExpiryDays],
      ['token_expiry_mins', domain.tokenExpiryMins],
      ['service_cert_expiry_mins', domain.serviceCertExpiryMins],
      ['role_cert_expiry_mins', domain.roleCertExpiryMins],
      ['sign_algorithm', domain.signAlgorithm],
      ['member_purge_expiry_days', domain.memberPurgeExpiryDays],
    ]),
  ]
}

/** What a domain has, after its attributes. */
export function contentLines(
  { tags, roles, groups, policies, services, entities }: DomainContents,
  style: NameStyle,
): string[] {
  return [
    ...tagLines(tags, INNER),
    ...section(
      'roles',
      roles.flatMap((role) => roleLines(role, style)),
    ),
    ...section(
      'groups',
      groups.flatMap((group) => groupLines(group, style)),
    ),
    ...section(
      'policies',
      policies.flatMap((policy) => policyLines(policy, style)),
    ),
    ...section('services', services.flatMap(serviceLines)),
    ...(entities === undefined
      ? []
      : section(
          'entities',
          entities.flatMap((entity) => entityLines(entity, style)),
        )),
  ]
}

/** Columns by which the parts of a domain stand further right. */
export const INNER = 4

/** `name:` and the items below it. */
export const section = (name: string, items: readonly string[]): string[] => [`${name}:`, ...indented(INNER, items)]

/** An entity as the lines of a list item. */
export function entityLines({ name, value }: Entity, { verbose }: NameStyle): string[] {
  const values = Object.entries(value as Readonly<Record<string, unknown>>).sort(([a], [b]) => (a < b ? -1 : 1))
  const items = values.flatMap(([key, data]) =>
    item([`key: ${key}`, `data: ${typeof data === 'string' ? data : JSON.stringify(data)}`]),
  )
  return item([`name: ${verbose ? name : localName(name, 'entity')}`, 'value:', ...indented(2, items)])
}

/** A domain with its signature. */
export function signedDomainLines({ domain, signature = '', keyId = '' }: SignedDomain, style: NameStyle): string[] {
  const { contents } = domain.policies ?? {}
  return [
    'domain: ',
    ...indented(INNER, [
      `name: ${domain.name}`,
      ...fields([
        ['aws_account', domain.account],
        ['azure_subscription', domain.azureSubscription],
        ['azure_tenant', domain.azureTenant],
        ['azure_client', domain.azureClient],
        ['gcp_project', domain.gcpProject],
        ['gcp_project_number', domain.gcpProjectNumber],
        ['business_service', domain.businessService],
      ]),
      `signature: ${signature}`,
      `keyId: ${keyId}`,
      `modified: ${domain.modified}`,
      ...contentLines(
        {
          tags: domain.tags,
          roles: domain.roles ?? [],
          groups: domain.groups ?? [],
          policies: contents?.policies ?? [],
          services: domain.services ?? [],
        },
        style,
      ),
    ]),
  ]
}
