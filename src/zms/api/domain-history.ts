import { authenticate, endpoint } from '#core/http/endpoint.ts'
import { maybe, shown } from '#core/http/scalar-types.ts'
import { list, struct, time, type ValueOf } from '#core/http/wire.ts'
import { filteredPage, inDomain, openReadErrors } from './parameters.ts'

/** A change of the members of a role or group. */
const DomainHistoryEntry = struct({
  /** `role` or `group`. */
  kind: shown.text,
  /** Local name of the role or group. */
  name: shown.entity,
  member: shown.member,
  admin: shown.resource,
  created: time(),
  action: shown.text,
  auditRef: maybe.text,
})

/** A part of the history of the members of a domain, newest first; `next` is the `skip` of the next part. */
export const DomainHistory = struct({ list: list(DomainHistoryEntry), next: maybe.text })
export type DomainHistory = ValueOf<typeof DomainHistory>

/** What happened in a domain. */
export const domainHistoryEndpoints = {
  getDomainMemberHistory: endpoint({
    operation: 'getDomainMemberHistory',
    method: 'GET',
    path: '/sys/domain/{domainName}/history',
    group: 'Domain',
    summary: 'Lists a part of what happened to the members of all roles and groups of a domain, newest first.',
    params: inDomain,
    query: filteredPage,
    access: authenticate,
    responses: { 200: DomainHistory },
    errors: openReadErrors,
  }),
}
