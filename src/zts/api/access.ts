import { authenticate, endpoint, query } from '#core/http/endpoint.ts'
import { lowered, maybe, queried } from '#core/http/scalar-types.ts'
import { bool, struct, type ValueOf } from '#core/http/wire.ts'
import { checkedErrors } from './parameters.ts'

/** Whether an action is allowed. */
export const ResourceAccess = struct('ResourceAccess', { granted: bool() })
export type ResourceAccess = ValueOf<typeof ResourceAccess>

// The original does not check the form of these two: a malformed principal has no rights, a malformed domain no trust.
const trustDomain = query('domain', queried.text)
// An empty principal is nobody, not the caller.
const checkPrincipal = query('principal', maybe.loweredText)

/** Questions about rights. */
export const accessEndpoints = {
  getResourceAccess: endpoint({
    operation: 'getResourceAccess',
    method: 'GET',
    path: '/access/{action}/{resource}',
    group: 'Access',
    summary: 'Says whether the caller or another principal may do something with a resource.',
    params: { action: lowered.action, resource: lowered.resource },
    query: { domain: trustDomain, checkPrincipal },
    access: authenticate,
    responses: { 200: ResourceAccess },
    errors: checkedErrors,
  }),
  getResourceAccessExt: endpoint({
    operation: 'getResourceAccessExt',
    method: 'GET',
    path: '/access/{action}',
    group: 'Access',
    summary: 'Answers the same question about a resource whose name is any text.',
    params: { action: lowered.action },
    query: { resource: query('resource', lowered.text), domain: trustDomain, checkPrincipal },
    access: authenticate,
    responses: { 200: ResourceAccess },
    errors: checkedErrors,
  }),
}
