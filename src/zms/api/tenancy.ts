import { authenticate, authorize, endpoint, nothing } from '#core/http/endpoint.ts'
import { lowered, maybe, shown } from '#core/http/scalar-types.ts'
import { list, optional, struct, type ValueOf } from '#core/http/wire.ts'
import { audited, readErrors, writeErrors } from './parameters.ts'

/** That a tenant domain uses a provider service; the names repeat those of the path. */
export const TenancyInput = struct('Tenancy', {
  domain: lowered.domain,
  service: lowered.service,
  resourceGroups: optional(list(lowered.entity)),
  /** Whether the tenant gets a role for administrators of the tenancy; absent means true. */
  createAdminRole: maybe.bool,
})
export type TenancyInput = ValueOf<typeof TenancyInput>

const roleActionsInput = list(struct('TenantRoleAction', { role: lowered.simple, action: lowered.text }))
const roleActions = list(struct('TenantRoleAction', { role: shown.simple, action: shown.text }))

const resourceGroupInput = {
  domain: lowered.domain,
  service: lowered.simple,
  tenant: lowered.domain,
  roles: roleActionsInput,
  resourceGroup: lowered.entity,
}
const resourceGroup = {
  domain: shown.domain,
  service: shown.simple,
  tenant: shown.domain,
  roles: roleActions,
  resourceGroup: shown.entity,
}

/** Roles that a provider gives a tenant for a resource group, in a request. */
export const TenantResourceGroupRolesInput = struct('TenantResourceGroupRoles', resourceGroupInput)
export type TenantResourceGroupRolesInput = ValueOf<typeof TenantResourceGroupRolesInput>

/** Roles that a provider gives a tenant for a resource group. */
export const TenantResourceGroupRoles = struct('TenantResourceGroupRoles', resourceGroup)
export type TenantResourceGroupRoles = ValueOf<typeof TenantResourceGroupRoles>

const providerOptions = { createAdminRole: maybe.bool, skipPrincipalMember: maybe.bool }

/** Roles in a tenant that may use those of a provider for a resource group, in a request. */
export const ProviderResourceGroupRolesInput = struct('ProviderResourceGroupRoles', {
  ...resourceGroupInput,
  ...providerOptions,
})
export type ProviderResourceGroupRolesInput = ValueOf<typeof ProviderResourceGroupRolesInput>

/** Roles in a tenant that may use those of a provider for a resource group. */
export const ProviderResourceGroupRoles = struct('ProviderResourceGroupRoles', { ...resourceGroup, ...providerOptions })
export type ProviderResourceGroupRoles = ValueOf<typeof ProviderResourceGroupRoles>

/** The provider service is named in full. */
const tenancy = { domain: lowered.domain, service: lowered.service }
const tenant = { domain: lowered.domain, service: lowered.simple, tenantDomain: lowered.domain }
const tenantGroup = { ...tenant, resourceGroup: lowered.entity }
const providerGroup = {
  tenantDomain: lowered.domain,
  provDomain: lowered.domain,
  provService: lowered.simple,
  resourceGroup: lowered.entity,
}
const mayUpdateTenant = authorize('update', '{domain}:tenant.{service}')
const mayUpdateTenancy = authorize('update', '{tenantDomain}:tenancy.{provDomain}.{provService}')

/** Tenants of provider services. */
export const tenancyEndpoints = {
  putTenancy: endpoint({
    operation: 'putTenancy',
    method: 'PUT',
    path: '/domain/{domain}/tenancy/{service}',
    group: 'Tenancy',
    summary: 'Makes a domain a tenant of a provider service, on the side of the tenant.',
    params: tenancy,
    headers: audited,
    body: TenancyInput,
    access: authorize('update', '{domain}:tenancy'),
    responses: { 204: nothing },
    errors: writeErrors,
  }),
  deleteTenancy: endpoint({
    operation: 'deleteTenancy',
    method: 'DELETE',
    path: '/domain/{domain}/tenancy/{service}',
    group: 'Tenancy',
    summary: 'Ends a tenancy on the side of the tenant.',
    params: tenancy,
    headers: audited,
    access: authorize('delete', '{domain}:tenancy'),
    responses: { 204: nothing },
    errors: writeErrors,
  }),
  putTenant: endpoint({
    operation: 'putTenant',
    method: 'PUT',
    path: '/domain/{domain}/service/{service}/tenant/{tenantDomain}',
    group: 'Tenancy',
    summary: 'Makes a domain a tenant of a provider service, on the side of the provider.',
    params: tenant,
    headers: audited,
    body: TenancyInput,
    access: mayUpdateTenant,
    responses: { 204: nothing },
    errors: writeErrors,
  }),
  deleteTenant: endpoint({
    operation: 'deleteTenant',
    method: 'DELETE',
    path: '/domain/{domain}/service/{service}/tenant/{tenantDomain}',
    group: 'Tenancy',
    summary: 'Ends a tenancy on the side of the provider.',
    params: tenant,
    headers: audited,
    access: authorize('delete', '{domain}:tenant.{service}'),
    responses: { 204: nothing },
    errors: writeErrors,
  }),
  putTenantResourceGroupRoles: endpoint({
    operation: 'putTenantResourceGroupRoles',
    method: 'PUT',
    path: '/domain/{domain}/service/{service}/tenant/{tenantDomain}/resourceGroup/{resourceGroup}',
    group: 'Tenancy',
    summary: 'Gives a tenant roles in the provider domain for a resource group.',
    params: tenantGroup,
    headers: audited,
    body: TenantResourceGroupRolesInput,
    access: mayUpdateTenant,
    responses: { 200: TenantResourceGroupRoles },
    errors: writeErrors,
  }),
  getTenantResourceGroupRoles: endpoint({
    operation: 'getTenantResourceGroupRoles',
    method: 'GET',
    path: '/domain/{domain}/service/{service}/tenant/{tenantDomain}/resourceGroup/{resourceGroup}',
    group: 'Tenancy',
    summary: 'Reads the roles that a tenant has in the provider domain for a resource group.',
    params: tenantGroup,
    access: authenticate,
    responses: { 200: TenantResourceGroupRoles },
    errors: readErrors,
  }),
  deleteTenantResourceGroupRoles: endpoint({
    operation: 'deleteTenantResourceGroupRoles',
    method: 'DELETE',
    path: '/domain/{domain}/service/{service}/tenant/{tenantDomain}/resourceGroup/{resourceGroup}',
    group: 'Tenancy',
    summary: 'Takes the roles for a resource group from a tenant.',
    params: tenantGroup,
    headers: audited,
    access: mayUpdateTenant,
    responses: { 204: nothing },
    errors: writeErrors,
  }),
  putProviderResourceGroupRoles: endpoint({
    operation: 'putProviderResourceGroupRoles',
    method: 'PUT',
    path: '/domain/{tenantDomain}/provDomain/{provDomain}/provService/{provService}/resourceGroup/{resourceGroup}',
    group: 'Tenancy',
    summary: 'Makes roles in a tenant whose members may use those of a provider for a resource group.',
    params: providerGroup,
    headers: audited,
    body: ProviderResourceGroupRolesInput,
    access: mayUpdateTenancy,
    responses: { 200: ProviderResourceGroupRoles },
    errors: writeErrors,
  }),
  getProviderResourceGroupRoles: endpoint({
    operation: 'getProviderResourceGroupRoles',
    method: 'GET',
    path: '/domain/{tenantDomain}/provDomain/{provDomain}/provService/{provService}/resourceGroup/{resourceGroup}',
    group: 'Tenancy',
    summary: 'Reads the roles in a tenant for a resource group of a provider.',
    params: providerGroup,
    access: authenticate,
    responses: { 200: ProviderResourceGroupRoles },
    errors: readErrors,
  }),
  deleteProviderResourceGroupRoles: endpoint({
    operation: 'deleteProviderResourceGroupRoles',
    method: 'DELETE',
    path: '/domain/{tenantDomain}/provDomain/{provDomain}/provService/{provService}/resourceGroup/{resourceGroup}',
    group: 'Tenancy',
    summary: 'Removes the roles in a tenant for a resource group of a provider.',
    params: providerGroup,
    headers: audited,
    access: mayUpdateTenancy,
    responses: { 204: nothing },
    errors: writeErrors,
  }),
}
