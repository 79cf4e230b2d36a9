import { notFound } from '#core/error/service-error.ts'
import { type Handlers, ok } from '#core/http/endpoint.ts'
import { resolveUserAlias } from '#core/names/principal-name.ts'
import type { roleAccessEndpoints } from '../api/role-access.ts'
import type { CachedDomain } from '../cache/model.ts'
import type { ZtsDependencies } from './dependencies.ts'

/** Which roles somebody holds, for every authenticated caller. */
export function principalRolesService({
  config,
  domains,
  roleAccess,
}: Pick<ZtsDependencies, 'config' | 'domains' | 'roleAccess'>): Handlers<typeof roleAccessEndpoints> {
  function domainOf(operation: string, name: string): CachedDomain {
    const domain = domains.get(name)
    if (domain === undefined) throw notFound(`${operation}: No such domain: ${name}`)
    return domain
  }

  return {
    getAccess({ params: { domainName, roleName, principal } }) {
      const domain = domainOf('getAccess', domainName)
      const requested = { names: [roleName], match: 'exact' } as const
      return ok({ granted: roleAccess.rolesOf(domain, resolveUserAlias(principal, config), requested).length > 0 })
    },

    getRoleAccess({ params: { domainName, principal } }) {
      const domain = domainOf('getRoleAccess', domainName)
      return ok({ roles: roleAccess.rolesOf(domain, resolveUserAlias(principal, config)) })
    },
  }
}
