import { authenticate, endpoint, query } from '#core/http/endpoint.ts'
import { maybe, queried, shown } from '#core/http/scalar-types.ts'
import { int64, struct, type ValueOf } from '#core/http/wire.ts'
import { queriedEntities } from './names.ts'
import { checkedErrors, inDomain } from './parameters.ts'

/** A role token, or a role certificate in its place; it expires at `expiryTime` (epoch seconds). */
export const RoleToken = struct('RoleToken', { token: shown.text, expiryTime: int64() })
export type RoleToken = ValueOf<typeof RoleToken>

/** Role tokens. */
export const roleTokenEndpoints = {
  getRoleToken: endpoint({
    operation: 'getRoleToken',
    method: 'GET',
    path: '/domain/{domainName}/token',
    group: 'Token',
    summary: 'Issues a token that names the roles of a domain which the caller, or another principal, holds.',
    params: inDomain,
    query: {
      /** Roles that the token may name; all that are held unless given. */
      role: query('role', queriedEntities),
      /** Seconds. */
      minExpiryTime: query('minExpiryTime', maybe.int32),
      /** Seconds. */
      maxExpiryTime: query('maxExpiryTime', maybe.int32),
      proxyForPrincipal: query('proxyForPrincipal', queried.entity),
    },
    access: authenticate,
    responses: { 200: RoleToken },
    errors: checkedErrors,
  }),
}
