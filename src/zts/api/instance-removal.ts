import { authenticate, endpoint, nothing } from '#core/http/endpoint.ts'
import { instance } from './instance-identity.ts'
import { identityErrors } from './parameters.ts'

/** Removal of instances. */
export const instanceRemovalEndpoints = {
  deleteInstanceIdentity: endpoint({
    operation: 'deleteInstanceIdentity',
    method: 'DELETE',
    path: '/instance/{provider}/{domain}/{service}/{instanceId}',
    group: 'Instance',
    summary: 'Forgets an instance, whose certificate then cannot be renewed.',
    params: instance,
    access: authenticate,
    responses: { 204: nothing },
    errors: identityErrors,
  }),
}
