import { authenticate, endpoint } from '#core/http/endpoint.ts'
import { lowered, shown } from '#core/http/scalar-types.ts'
import { list, nullable, struct, type ValueOf } from '#core/http/wire.ts'

/** Full names of the services on a host; null when there are none. */
export const HostServices = struct('HostServices', { host: shown.text, names: nullable(list(shown.entity)) })
export type HostServices = ValueOf<typeof HostServices>

/** Hosts. */
export const hostEndpoints = {
  getHostServices: endpoint({
    operation: 'getHostServices',
    method: 'GET',
    path: '/host/{host}/services',
    group: 'ServiceIdentity',
    summary: 'Lists the services that may run on a host.',
    params: { host: lowered.text },
    access: authenticate,
    responses: { 200: HostServices },
    errors: [400, 401, 429],
  }),
}
