import { authenticate, endpoint, nothing } from '#core/http/endpoint.ts'
import { lowered, maybe, shown } from '#core/http/scalar-types.ts'
import { list, lower, optional, struct, type ValueOf } from '#core/http/wire.ts'
import { DomainList } from './domain.ts'
import { audited, inDomain, openReadErrors, writeErrors } from './parameters.ts'
import { ServiceIdentityList } from './service-identity.ts'

/**
 * Service that a domain depends on. The original does not check this type: a missing, empty or malformed name is the
 * service's to refuse, and is of no account when the caller is not a system administrator.
 */
export const DependentServiceInput = struct('DependentService', { service: maybe.loweredText })
export type DependentServiceInput = ValueOf<typeof DependentServiceInput>

/** The original checks names after the rights of the caller: malformed ones are the service's to refuse. */
const inUncheckedDomain = { domainName: lower(shown.domain) }

/** A service that a domain depends on, with the resource groups it uses. */
export const DependentServiceResourceGroup = struct('DependentServiceResourceGroup', {
  service: shown.service,
  domain: shown.domain,
  resourceGroups: optional(list(shown.entity)),
})
export type DependentServiceResourceGroup = ValueOf<typeof DependentServiceResourceGroup>

/** The services that a domain depends on. */
export const DependentServiceResourceGroupList = struct('DependentServiceResourceGroupList', {
  serviceAndResourceGroups: list(DependentServiceResourceGroup),
})
export type DependentServiceResourceGroupList = ValueOf<typeof DependentServiceResourceGroupList>

/** Dependencies of domains on registered provider services. */
export const dependencyEndpoints = {
  putDomainDependency: endpoint({
    operation: 'putDomainDependency',
    method: 'PUT',
    path: '/dependency/domain/{domainName}',
    group: 'Dependency',
    summary: 'Notes that a domain depends on a provider service.',
    params: inUncheckedDomain,
    headers: audited,
    body: DependentServiceInput,
    access: authenticate,
    responses: { 204: nothing },
    errors: writeErrors,
  }),
  deleteDomainDependency: endpoint({
    operation: 'deleteDomainDependency',
    method: 'DELETE',
    path: '/dependency/domain/{domainName}/service/{service}',
    group: 'Dependency',
    summary: 'Notes that a domain no longer depends on a provider service.',
    params: { ...inUncheckedDomain, service: lower(shown.service) },
    headers: audited,
    access: authenticate,
    responses: { 204: nothing },
    errors: writeErrors,
  }),
  getDependentServiceList: endpoint({
    operation: 'getDependentServiceList',
    method: 'GET',
    path: '/dependency/domain/{domainName}',
    group: 'Dependency',
    summary: 'Lists the provider services that a domain depends on.',
    params: inDomain,
    access: authenticate,
    responses: { 200: ServiceIdentityList },
    errors: openReadErrors,
  }),
  getDependentServiceResourceGroupList: endpoint({
    operation: 'getDependentServiceResourceGroupList',
    method: 'GET',
    path: '/dependency/domain/{domainName}/resourceGroup',
    group: 'Dependency',
    summary: 'Lists the provider services that a domain depends on, with the resource groups it uses.',
    params: inDomain,
    access: authenticate,
    responses: { 200: DependentServiceResourceGroupList },
    errors: openReadErrors,
  }),
  getDependentDomainList: endpoint({
    operation: 'getDependentDomainList',
    method: 'GET',
    path: '/dependency/service/{service}',
    group: 'Dependency',
    summary: 'Lists the domains that depend on a provider service.',
    params: { service: lowered.service },
    access: authenticate,
    responses: { 200: DomainList },
    errors: openReadErrors,
  }),
}
