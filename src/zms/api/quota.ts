import { authenticate, authorize, endpoint, nothing } from '#core/http/endpoint.ts'
import { lowered, maybe, shown, zero } from '#core/http/scalar-types.ts'
import { int32, struct, type ValueOf } from '#core/http/wire.ts'
import { audited, openReadErrors, writeErrors } from './parameters.ts'

const limitsOf = (limit: typeof zero) => ({
  subdomain: limit,
  role: limit,
  roleMember: limit,
  policy: limit,
  assertion: limit,
  entity: limit,
  service: limit,
  serviceHost: limit,
  publicKey: limit,
  group: limit,
  groupMember: limit,
})

/** How many objects there are, or may be, of each kind in a domain. */
export const objectCounts = limitsOf(int32())

/** Limits of a domain in a request: absent ones are 0. */
export const QuotaInput = struct('Quota', { name: lowered.domain, ...limitsOf(zero), modified: maybe.timestamp })
export type QuotaInput = ValueOf<typeof QuotaInput>

/** Limits of a domain; `name` is `server-default` when it has none of its own. */
export const Quota = struct('Quota', { name: shown.domain, ...objectCounts, modified: maybe.time })
export type Quota = ValueOf<typeof Quota>

const domain = { name: lowered.domain }

/** Limits of domains. */
export const quotaEndpoints = {
  getQuota: endpoint({
    operation: 'getQuota',
    method: 'GET',
    path: '/domain/{name}/quota',
    group: 'Quota',
    summary: 'Reads the limits that hold for a domain.',
    params: domain,
    access: authenticate,
    responses: { 200: Quota },
    errors: openReadErrors,
  }),
  putQuota: endpoint({
    operation: 'putQuota',
    method: 'PUT',
    path: '/domain/{name}/quota',
    group: 'Quota',
    summary: 'Gives a domain limits of its own.',
    params: domain,
    headers: audited,
    body: QuotaInput,
    access: authorize('update', 'sys.auth:quota'),
    responses: { 204: nothing },
    errors: writeErrors,
  }),
  deleteQuota: endpoint({
    operation: 'deleteQuota',
    method: 'DELETE',
    path: '/domain/{name}/quota',
    group: 'Quota',
    summary: 'Puts a domain back under the default limits.',
    params: domain,
    headers: audited,
    access: authorize('update', 'sys.auth:quota'),
    responses: { 204: nothing },
    errors: writeErrors,
  }),
}
