import { authenticate, endpoint } from '#core/http/endpoint.ts'
import { lowered, shown } from '#core/http/scalar-types.ts'
import { bool, list, struct, type ValueOf } from '#core/http/wire.ts'
import { checkedErrors, inDomain, openReadErrors } from './parameters.ts'

/** Whether a principal holds a role. */
export const Access = struct('Access', { granted: bool() })
export type Access = ValueOf<typeof Access>

/** Roles that a principal holds. */
export const RoleAccess = struct('RoleAccess', { roles: list(shown.entity) })
export type RoleAccess = ValueOf<typeof RoleAccess>

/** Questions about roles. */
export const roleAccessEndpoints = {
  getAccess: endpoint({
    operation: 'getAccess',
    method: 'GET',
    path: '/access/domain/{domainName}/role/{roleName}/principal/{principal}',
    group: 'Token',
    summary: 'Says whether a principal holds a role.',
    params: { ...inDomain, roleName: lowered.entity, principal: lowered.principal },
    access: authenticate,
    responses: { 200: Access },
    errors: checkedErrors,
  }),
  getRoleAccess: endpoint({
    operation: 'getRoleAccess',
    method: 'GET',
    path: '/access/domain/{domainName}/principal/{principal}',
    group: 'Token',
    summary: 'Lists the local names of the roles of a domain that a principal holds.',
    params: { ...inDomain, principal: lowered.principal },
    access: authenticate,
    responses: { 200: RoleAccess },
    errors: openReadErrors,
  }),
}
