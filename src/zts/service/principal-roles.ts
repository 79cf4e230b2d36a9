import { notFound } from '#core/error/service-error.ts'
import { type Handlers, ok } from '#core/http/endpoint.ts'
import type { roleAccessEndpoints } from '../api/role-access.ts'
import type { CachedDomain } from '../cache/model.ts'
import type { ZtsDependencies } from './dependencies.ts'

/** Which roles somebody holds, for every authenticated caller. */
export function principalRolesService({
  domains,
  roleAccess,
}: Pick<ZtsDependencies, 'domains' | 'roleAccess'>): Handlers<typeof roleAccessEndpoints> {
  function domainOf(operation: string, name: string): CachedDomain {
    const domain = domains.get(name)
    if (domain === undefined) throw notFound(`${operation}: No such domain: ${name}`)
    return domain
  }

  return {
    getAccess({ params: { domainName, roleName, principal } }) {
      const domain = domainOf('getAccess', domainName)
      return ok({ granted: roleAccess.rolesOf(domain, principal, { names: [roleName], match: 'exact' }).length > 0 })
    },

    getRoleAccess({ params: { domainName, principal } }) {
      return ok({ roles: roleAccess.rolesOf(domainOf('getRoleAccess', domainName), principal) })
    },
  }
}
