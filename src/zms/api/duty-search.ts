import { authenticate, endpoint, query } from '#core/http/endpoint.ts'
import { maybe, queried, shown } from '#core/http/scalar-types.ts'
import { int32, list, struct, time, type ValueOf } from '#core/http/wire.ts'
import { filteredPage, openReadErrors, readErrors } from './parameters.ts'

/** A part of a list: `total` of it pass the filter, `next` is the `skip` of the next part. */
const part = { total: int32(), next: maybe.text }

/** A role or group. */
const place = {
  /** `role` or `group`. */
  kind: shown.text,
  domainName: shown.domain,
  /** Local name. */
  name: shown.entity,
}

/** A part of the names of domains that somebody administers. */
export const AdministeredDomains = struct({ list: list(shown.domain), ...part })
export type AdministeredDomains = ValueOf<typeof AdministeredDomains>

/** Set where a change needs a reason: the role or group is audited, or its domain. */
const audit = { auditEnabled: maybe.bool }

/** A requested change of a membership. */
const DutyRequest = struct({
  ...place,
  memberName: shown.member,
  /** `ADD` or `DELETE`. */
  pendingState: shown.text,
  requestPrincipal: maybe.resource,
  requestTime: time(),
  auditRef: maybe.text,
  /** What the membership would end at. */
  expiration: maybe.time,
  ...audit,
})

/** A part of the requests that somebody may decide, those first that have waited the longest. */
export const DutyRequests = struct({ list: list(DutyRequest), ...part })
export type DutyRequests = ValueOf<typeof DutyRequests>

/** A role or group to review; `reviewDue` has passed. */
const DutyReview = struct({ ...place, reviewDue: time(), lastReviewedDate: maybe.time })

/** A part of the roles and groups that somebody has to review, those first that are due the longest. */
export const DutyReviews = struct({ list: list(DutyReview), ...part })
export type DutyReviews = ValueOf<typeof DutyReviews>

/** A membership that ends; `selfRenewMins` says for how many minutes from now the member itself may renew it, if at all. */
const EndingMembership = struct({ ...place, expiration: time(), selfRenewMins: maybe.int32, ...audit })

/** A part of the memberships that end, or have ended, those first that end first. */
export const EndingMemberships = struct({ list: list(EndingMembership), ...part })
export type EndingMemberships = ValueOf<typeof EndingMemberships>

/** All that somebody has to do; of each list the first part, whose further ones the searches give. */
export const Duties = struct({ requests: DutyRequests, reviews: DutyReviews, memberships: EndingMemberships })
export type Duties = ValueOf<typeof Duties>

const asked = { principal: query('principal', queried.principal), ...filteredPage }
const days = query('days', maybe.int32)

/** What somebody, by default the caller, has to do: lists for people, a part at a time. The filter is about full names. */
export const dutySearchEndpoints = {
  searchAdministeredDomains: endpoint({
    operation: 'searchAdministeredDomains',
    method: 'GET',
    path: '/sys/duty/domain',
    group: 'Domain',
    summary: 'Lists a part of the domains that a principal administers.',
    query: asked,
    access: authenticate,
    responses: { 200: AdministeredDomains },
    errors: openReadErrors,
  }),
  searchPendingRequests: endpoint({
    operation: 'searchPendingRequests',
    method: 'GET',
    path: '/sys/duty/request',
    group: 'Role',
    summary: 'Lists a part of the requests for membership in roles and groups that a principal may decide.',
    query: asked,
    access: authenticate,
    responses: { 200: DutyRequests },
    errors: openReadErrors,
  }),
  searchDueReviews: endpoint({
    operation: 'searchDueReviews',
    method: 'GET',
    path: '/sys/duty/review',
    group: 'Review',
    summary: 'Lists a part of the roles and groups that a principal has to review.',
    query: asked,
    access: authenticate,
    responses: { 200: DutyReviews },
    errors: readErrors,
  }),
  searchEndingMemberships: endpoint({
    operation: 'searchEndingMemberships',
    method: 'GET',
    path: '/sys/duty/membership',
    group: 'Role',
    summary: 'Lists a part of the memberships of a principal in roles and groups that end within some days.',
    query: { ...asked, days },
    access: authenticate,
    responses: { 200: EndingMemberships },
    errors: openReadErrors,
  }),
  getDuties: endpoint({
    operation: 'getDuties',
    method: 'GET',
    path: '/sys/duty',
    group: 'Domain',
    summary: 'Tells the caller what it has to do: the first requests, reviews and memberships that end.',
    query: { limit: filteredPage.limit, days },
    access: authenticate,
    responses: { 200: Duties },
    errors: openReadErrors,
  }),
}
