import { authenticate, endpoint, query } from '#core/http/endpoint.ts'
import { lowered, shown } from '#core/http/scalar-types.ts'
import { list, optional, struct, type ValueOf } from '#core/http/wire.ts'
import { openReadErrors } from './parameters.ts'

/** Domains that are tenants of a provider. */
export const TenantDomains = struct('TenantDomains', { tenantDomainNames: list(shown.domain) })
export type TenantDomains = ValueOf<typeof TenantDomains>

/** Tenants of providers. */
export const tenantDomainsEndpoints = {
  getTenantDomains: endpoint({
    operation: 'getTenantDomains',
    method: 'GET',
    path: '/providerdomain/{providerDomainName}/user/{userName}',
    group: 'Tenancy',
    summary: 'Lists the tenants of a provider domain whose roles a user holds.',
    params: { providerDomainName: lowered.domain, userName: lowered.entity },
    query: {
      roleName: query('roleName', optional(lowered.entity)),
      serviceName: query('serviceName', optional(lowered.service)),
    },
    access: authenticate,
    responses: { 200: TenantDomains },
    errors: openReadErrors,
  }),
}
