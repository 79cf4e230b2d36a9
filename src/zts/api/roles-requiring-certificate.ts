import { authenticate, endpoint, query } from '#core/http/endpoint.ts'
import { queried } from '#core/http/scalar-types.ts'
import { checkedErrors } from './parameters.ts'
import { RoleAccess } from './role-access.ts'

/** Roles for whose members certificates are to be issued. */
export const rolesRequiringCertificateEndpoints = {
  getRolesRequireRoleCert: endpoint({
    operation: 'getRolesRequireRoleCert',
    method: 'GET',
    path: '/role/cert',
    group: 'RoleCert',
    summary: 'Lists the full names of the roles for which a principal, by default the caller, is to have certificates.',
    query: { principal: query('principal', queried.principal) },
    access: authenticate,
    responses: { 200: RoleAccess },
    errors: checkedErrors,
  }),
}
