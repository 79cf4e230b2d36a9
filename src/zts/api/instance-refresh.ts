import { authenticate, endpoint } from '#core/http/endpoint.ts'
import { struct, type ValueOf } from '#core/http/wire.ts'
import { InstanceIdentity, identityRequest, instance } from './instance-identity.ts'
import { identityErrors } from './parameters.ts'

/** An instance that renews its identity. */
export const InstanceRefreshInformation = struct('InstanceRefreshInformation', identityRequest)
export type InstanceRefreshInformation = ValueOf<typeof InstanceRefreshInformation>

/** Renewals of the identities of instances. */
export const instanceRefreshEndpoints = {
  postInstanceRefreshInformation: endpoint({
    operation: 'postInstanceRefreshInformation',
    method: 'POST',
    path: '/instance/{provider}/{domain}/{service}/{instanceId}',
    group: 'Instance',
    summary: 'Renews the identity of the instance that calls with its present certificate.',
    params: instance,
    body: InstanceRefreshInformation,
    access: authenticate,
    responses: { 200: InstanceIdentity },
    errors: identityErrors,
  }),
}
