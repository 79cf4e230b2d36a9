import { forbidden, notFound } from '#core/error/service-error.ts'
import { type Handlers, noContent } from '#core/http/endpoint.ts'
import { serviceFullName } from '#core/names/resource-name.ts'
import type { instanceRemovalEndpoints } from '../api/instance-removal.ts'
import { UNKNOWN_DOMAIN } from './authorization.ts'
import type { ZtsDependencies } from './dependencies.ts'
import { authenticated, refuseRoleIdentity } from './principal-rules.ts'

const DELETE = 'delete'

/** Removal of instances, whose certificates cannot be renewed then. */
export function instanceRemovalService({
  authorization,
  certificateRecords,
  sshRecords,
}: Pick<ZtsDependencies, 'authorization' | 'certificateRecords' | 'sshRecords'>): Handlers<
  typeof instanceRemovalEndpoints
> {
  return {
    async deleteInstanceIdentity({ params }, context) {
      const principal = authenticated(context.principal)
      refuseRoleIdentity(principal)
      const { provider, domain, service, instanceId } = params
      const allowed =
        principal.fullName === provider || authorization.decide(principal, DELETE, `${domain}:instance.${instanceId}`)
      if (allowed === UNKNOWN_DOMAIN) throw notFound('Domain not found')
      if (!allowed) throw forbidden('principal not authorized to delete the requested instance record')
      const fullName = serviceFullName(domain, service)
      await certificateRecords.delete(provider, instanceId, fullName)
      await sshRecords?.delete(instanceId, fullName)
      return noContent
    },
  }
}
