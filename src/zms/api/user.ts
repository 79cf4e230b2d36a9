import { authenticate, authorize, endpoint, nothing, query } from '#core/http/endpoint.ts'
import { lowered, queried, shown } from '#core/http/scalar-types.ts'
import { bool, initially, list, struct, type ValueOf } from '#core/http/wire.ts'
import { audited, openReadErrors, writeErrors } from './parameters.ts'

/** Local names of users. */
export const UserList = struct('UserList', { names: list(shown.simple) })
export type UserList = ValueOf<typeof UserList>

/** Whether a principal is suspended; absent means no. */
export const PrincipalStateInput = struct('PrincipalState', { suspended: initially(false, bool()) })
export type PrincipalStateInput = ValueOf<typeof PrincipalStateInput>

/** Users, and the state of principals. */
export const userEndpoints = {
  getUserList: endpoint({
    operation: 'getUserList',
    method: 'GET',
    path: '/user',
    group: 'User',
    summary: 'Lists the users that the server has seen, of the user domain or of an additional one.',
    query: { domainName: query('domain', queried.domain) },
    access: authenticate,
    responses: { 200: UserList },
    errors: openReadErrors,
  }),
  deleteUser: endpoint({
    operation: 'deleteUser',
    method: 'DELETE',
    path: '/user/{name}',
    group: 'User',
    summary: 'Removes a user with its personal domain and all its memberships.',
    params: { name: lowered.simple },
    headers: audited,
    access: authorize('delete', 'sys.auth:user'),
    responses: { 204: nothing },
    errors: writeErrors,
  }),
  putPrincipalState: endpoint({
    operation: 'putPrincipalState',
    method: 'PUT',
    path: '/principal/{principalName}/state',
    group: 'PrincipalMember',
    summary: 'Suspends a principal in all roles and groups, or ends that.',
    params: { principalName: lowered.member },
    headers: audited,
    body: PrincipalStateInput,
    access: authenticate,
    responses: { 204: nothing },
    errors: writeErrors,
  }),
}
