import { authenticate, endpoint, query } from '#core/http/endpoint.ts'
import { maybe, queried, shown } from '#core/http/scalar-types.ts'
import { int32, list, struct, time, type ValueOf } from '#core/http/wire.ts'
import { readErrors } from './parameters.ts'

const days = int32()

/** A role or group that is due for review. */
export const ReviewObject = struct('ReviewObject', {
  domainName: shown.domain,
  name: shown.entity,
  memberExpiryDays: days,
  memberReviewDays: days,
  serviceExpiryDays: days,
  serviceReviewDays: days,
  groupExpiryDays: days,
  groupReviewDays: days,
  lastReviewedDate: maybe.time,
  created: time(),
})
export type ReviewObject = ValueOf<typeof ReviewObject>

/** Several roles or groups that are due for review. */
export const ReviewObjects = struct('ReviewObjects', { list: list(ReviewObject) })
export type ReviewObjects = ValueOf<typeof ReviewObjects>

const principal = { principal: query('principal', queried.principal) }

/** What is due for review. */
export const reviewEndpoints = {
  getRolesForReview: endpoint({
    operation: 'getRolesForReview',
    method: 'GET',
    path: '/review/role',
    group: 'Review',
    summary: 'Lists the roles that a principal, by default the caller, has to review.',
    query: principal,
    access: authenticate,
    responses: { 200: ReviewObjects },
    errors: readErrors,
  }),
  getGroupsForReview: endpoint({
    operation: 'getGroupsForReview',
    method: 'GET',
    path: '/review/group',
    group: 'Review',
    summary: 'Lists the groups that a principal, by default the caller, has to review.',
    query: principal,
    access: authenticate,
    responses: { 200: ReviewObjects },
    errors: readErrors,
  }),
}
