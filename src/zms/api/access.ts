import { authenticate, endpoint, query } from '#core/http/endpoint.ts'
import { lowered, maybe, off, queried, shown } from '#core/http/scalar-types.ts'
import { bool, list, optional, struct, type ValueOf } from '#core/http/wire.ts'
import { AccessExplanation } from './access-explanation.ts'
import { Assertion } from './assertion.ts'
import { readErrors } from './parameters.ts'

/** Whether an action is allowed, and on request why. */
export const Access = struct('Access', { granted: bool(), explanation: optional(AccessExplanation) })
export type Access = ValueOf<typeof Access>

/** The assertions that speak about a principal. */
export const ResourceAccess = struct('ResourceAccess', { principal: shown.resource, assertions: list(Assertion) })
export type ResourceAccess = ValueOf<typeof ResourceAccess>

/** The same for several principals. */
export const ResourceAccessList = struct('ResourceAccessList', { resources: list(ResourceAccess) })
export type ResourceAccessList = ValueOf<typeof ResourceAccessList>

// The original does not check the form of these two: a malformed principal has no rights, a malformed domain no trust.
// Neither is empty as if it were absent: an empty principal is nobody, and no role is delegated to an empty domain.
const trustDomain = query('domain', maybe.loweredText)
const checkPrincipal = query('principal', maybe.loweredText)
// Ours: the original ignores it.
const explain = query('explain', off)

/** Questions about rights. */
export const accessEndpoints = {
  getAccess: endpoint({
    operation: 'getAccess',
    method: 'GET',
    path: '/access/{action}/{resource}',
    group: 'Access',
    summary: 'Says whether the caller or another principal may do something with a resource.',
    params: { action: lowered.action, resource: lowered.resource },
    query: { domain: trustDomain, checkPrincipal, explain },
    access: authenticate,
    responses: { 200: Access },
    errors: readErrors,
  }),
  getAccessExt: endpoint({
    operation: 'getAccessExt',
    method: 'GET',
    path: '/access/{action}',
    group: 'Access',
    summary: 'Answers the same question about a resource whose name is any text.',
    params: { action: lowered.action },
    query: { resource: query('resource', lowered.text), domain: trustDomain, checkPrincipal, explain },
    access: authenticate,
    responses: { 200: Access },
    errors: readErrors,
  }),
  getResourceAccessList: endpoint({
    operation: 'getResourceAccessList',
    method: 'GET',
    path: '/resource',
    group: 'Access',
    summary: 'Lists the assertions that give a principal an action, with names of cloud roles spelled out.',
    query: {
      principal: query('principal', queried.principal),
      action: query('action', queried.action),
      filter: query('filter', maybe.text),
    },
    access: authenticate,
    responses: { 200: ResourceAccessList },
    errors: readErrors,
  }),
}
