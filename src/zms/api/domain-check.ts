import { authenticate, authorize, endpoint } from '#core/http/endpoint.ts'
import { lowered, maybe, shown } from '#core/http/scalar-types.ts'
import { int32, list, optional, struct, type ValueOf } from '#core/http/wire.ts'
import { inDomain, openReadErrors } from './parameters.ts'
import { objectCounts } from './quota.ts'

/** A policy with an assertion for a role that does not exist. */
export const DanglingPolicy = struct('DanglingPolicy', { policyName: shown.entity, roleName: shown.entity })
export type DanglingPolicy = ValueOf<typeof DanglingPolicy>

/** What does not fit together in a domain. */
export const DomainDataCheck = struct('DomainDataCheck', {
  danglingRoles: optional(list(shown.entity)),
  danglingPolicies: optional(list(DanglingPolicy)),
  policyCount: int32(),
  assertionCount: int32(),
  roleWildCardCount: int32(),
  providersWithoutTrust: optional(list(shown.service)),
  tenantsWithoutAssumeRole: optional(list(shown.domain)),
})
export type DomainDataCheck = ValueOf<typeof DomainDataCheck>

/** How many objects of each kind there are; without name: in all domains. */
export const Stats = struct('Stats', { name: maybe.domain, ...objectCounts })
export type Stats = ValueOf<typeof Stats>

/** Checks and counts of what domains hold. */
export const domainCheckEndpoints = {
  getDomainDataCheck: endpoint({
    operation: 'getDomainDataCheck',
    method: 'GET',
    path: '/domain/{domainName}/check',
    group: 'DomainDataCheck',
    summary: 'Looks for roles without policies, policies without roles and one-sided delegations in a domain.',
    params: inDomain,
    access: authenticate,
    responses: { 200: DomainDataCheck },
    errors: [401, 403, 404, 429],
  }),
  getStats: endpoint({
    operation: 'getStats',
    method: 'GET',
    path: '/domain/{name}/stats',
    group: 'Stats',
    summary: 'Counts what a domain holds.',
    params: { name: lowered.domain },
    access: authenticate,
    responses: { 200: Stats },
    errors: openReadErrors,
  }),
  getSystemStats: endpoint({
    operation: 'getSystemStats',
    method: 'GET',
    path: '/sys/stats',
    group: 'Stats',
    summary: 'Counts what all domains hold.',
    access: authorize('get', 'sys.auth:stats'),
    responses: { 200: Stats },
    errors: [400, 401, 403, 429],
  }),
}
