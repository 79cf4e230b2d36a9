import { authenticate, authorize, endpoint } from '#core/http/endpoint.ts'
import { maybe, shown } from '#core/http/scalar-types.ts'
import { anyObject, int32, struct, type ValueOf } from '#core/http/wire.ts'
import { checkedErrors, openReadErrors } from './parameters.ts'

/** That the server works; the body has the form of an error with status 200. */
export const Status = struct('Status', { code: int32(), message: shown.text })
export type Status = ValueOf<typeof Status>

/** Which program is running. */
export const Info = struct('Info', {
  buildJdkSpec: maybe.text,
  implementationTitle: maybe.text,
  implementationVersion: maybe.text,
  implementationVendor: maybe.text,
})
export type Info = ValueOf<typeof Info>

/** The server itself. */
export const systemEndpoints = {
  getStatus: endpoint({
    operation: 'getStatus',
    method: 'GET',
    path: '/status',
    group: 'Status',
    summary: 'Says whether the server works.',
    access: authenticate,
    responses: { 200: Status },
    errors: openReadErrors,
  }),
  getInfo: endpoint({
    operation: 'getInfo',
    method: 'GET',
    path: '/sys/info',
    group: 'Info',
    summary: 'Says which program in which version answers.',
    access: authorize('get', 'sys.auth:info'),
    responses: { 200: Info },
    errors: checkedErrors,
  }),
  getRdlSchema: endpoint({
    operation: 'getRdlSchema',
    method: 'GET',
    path: '/schema',
    group: 'Schema',
    summary: 'Describes the operations and types of this interface.',
    access: authenticate,
    responses: { 200: anyObject() },
    errors: [],
  }),
}
