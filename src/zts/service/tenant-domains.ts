import { notFound } from '#core/error/service-error.ts'
import { type Handlers, ok } from '#core/http/endpoint.ts'
import { resolveUserAlias } from '#core/names/principal-name.ts'
import type { tenantDomainsEndpoints } from '../api/tenant-domains.ts'
import type { Domains } from '../cache/domains.ts'
import type { ZtsDependencies } from './dependencies.ts'

/** Tenants of providers, found in the names of the roles that providers make for them. */
export function tenantDomainsService({
  config,
  domains,
  roleAccess,
}: Pick<ZtsDependencies, 'config' | 'domains' | 'roleAccess'>): Handlers<typeof tenantDomainsEndpoints> {
  return {
    getTenantDomains({ params, query: { roleName, serviceName } }) {
      const { providerDomainName, userName } = params
      const provider = domains.get(providerDomainName)
      if (provider === undefined) throw notFound(`getTenantDomains: No such provider domain: ${providerDomainName}`)
      const principal = userName.includes('.') ? resolveUserAlias(userName, config) : `${config.userDomain}.${userName}`
      const requested = roleName === undefined ? undefined : { names: roleName.split(','), match: 'loose' as const }
      const tenants = new Set<string>()
      for (const role of roleAccess.rolesOf(provider, principal, requested)) {
        const tenant = tenantOf(role, serviceName, domains)
        if (tenant !== undefined) tenants.add(tenant)
      }
      return ok({ tenantDomainNames: [...tenants] })
    },
  }
}

/**
 * The known domain that a role (local name) of a provider is for: `{service}.tenant.{domain}.{role}`, or with a resource
 * group between domain and role. Domains have dots like everything else, so that the longest known one counts.
 */
function tenantOf(role: string, serviceName: string | undefined, domains: Domains): string | undefined {
  const parts = role.split('.')
  if (parts.length < 4 || parts[1] !== 'tenant' || (serviceName !== undefined && parts[0] !== serviceName)) {
    return undefined
  }
  const candidates = [parts.slice(2, -1)]
  if (parts.length > 4) candidates.push(parts.slice(2, -2))
  return candidates.map((candidate) => candidate.join('.')).find((name) => domains.get(name) !== undefined)
}
