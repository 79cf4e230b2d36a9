import { authenticate, endpoint, nothing, query } from '#core/http/endpoint.ts'
import { lowered, maybe, queried, shown } from '#core/http/scalar-types.ts'
import { list, nullable, struct, type ValueOf } from '#core/http/wire.ts'
import { memberState } from './collection.ts'
import { GroupMember } from './group.ts'
import { audited, inDomain, owned, readErrors, returning, writeErrors } from './parameters.ts'

/** A membership in a request; the names repeat those of the path. */
export const GroupMembershipInput = struct('GroupMembership', {
  ...memberState,
  isMember: maybe.bool,
  requestPrincipal: maybe.loweredResource,
  memberName: lowered.groupMember,
  groupName: maybe.loweredResource,
  expiration: maybe.timestamp,
})
export type GroupMembershipInput = ValueOf<typeof GroupMembershipInput>

/** Whether and how a principal is a member of a group. */
export const GroupMembership = struct('GroupMembership', {
  ...memberState,
  isMember: maybe.bool,
  requestPrincipal: maybe.resource,
  memberName: shown.groupMember,
  groupName: maybe.resource,
  expiration: maybe.time,
})
export type GroupMembership = ValueOf<typeof GroupMembership>

/** A principal with the groups it is a member of. */
export const DomainGroupMember = struct('DomainGroupMember', {
  memberName: shown.groupMember,
  memberGroups: list(GroupMember),
})
export type DomainGroupMember = ValueOf<typeof DomainGroupMember>

/** The principals that are members of groups of a domain. */
export const DomainGroupMembers = struct('DomainGroupMembers', {
  domainName: shown.domain,
  members: nullable(list(DomainGroupMember)),
})
export type DomainGroupMembers = ValueOf<typeof DomainGroupMembers>

/** The same for several domains. */
export const DomainGroupMembership = struct('DomainGroupMembership', {
  domainGroupMembersList: list(DomainGroupMembers),
})
export type DomainGroupMembership = ValueOf<typeof DomainGroupMembership>

const member = { ...inDomain, groupName: lowered.entity, memberName: lowered.groupMember }

/** Memberships in groups. */
export const groupMembershipEndpoints = {
  getGroupMembership: endpoint({
    operation: 'getGroupMembership',
    method: 'GET',
    path: '/domain/{domainName}/group/{groupName}/member/{memberName}',
    group: 'Group',
    summary: 'Says whether a principal is a member of a group, and until when.',
    params: member,
    query: { expiration: query('expiration', maybe.text) },
    access: authenticate,
    responses: { 200: GroupMembership },
    errors: readErrors,
  }),
  putGroupMembership: endpoint({
    operation: 'putGroupMembership',
    method: 'PUT',
    path: '/domain/{domainName}/group/{groupName}/member/{memberName}',
    group: 'Group',
    summary: 'Adds a member to a group, asks for it where approval is needed, or changes its expiration.',
    params: member,
    headers: returning,
    body: GroupMembershipInput,
    access: authenticate,
    responses: { 204: nothing, 200: GroupMembership },
    errors: writeErrors,
  }),
  deleteGroupMembership: endpoint({
    operation: 'deleteGroupMembership',
    method: 'DELETE',
    path: '/domain/{domainName}/group/{groupName}/member/{memberName}',
    group: 'Group',
    summary: 'Removes a member from a group.',
    params: member,
    headers: owned,
    access: authenticate,
    responses: { 204: nothing },
    errors: writeErrors,
  }),
  deletePendingGroupMembership: endpoint({
    operation: 'deletePendingGroupMembership',
    method: 'DELETE',
    path: '/domain/{domainName}/group/{groupName}/pendingmember/{memberName}',
    group: 'Group',
    summary: 'Withdraws a request for membership in a group.',
    params: member,
    headers: audited,
    access: authenticate,
    responses: { 204: nothing },
    errors: writeErrors,
  }),
  putGroupMembershipDecision: endpoint({
    operation: 'putGroupMembershipDecision',
    method: 'PUT',
    path: '/domain/{domainName}/group/{groupName}/member/{memberName}/decision',
    group: 'Group',
    summary: 'Approves or rejects a request for membership in a group.',
    params: member,
    headers: audited,
    body: GroupMembershipInput,
    access: authenticate,
    responses: { 204: nothing },
    errors: writeErrors,
  }),
  getPrincipalGroups: endpoint({
    operation: 'getPrincipalGroups',
    method: 'GET',
    path: '/group',
    group: 'Group',
    summary: 'Lists the groups of a principal, by default the caller.',
    query: {
      principal: query('principal', queried.principal),
      domainName: query('domain', queried.domain),
    },
    access: authenticate,
    responses: { 200: DomainGroupMember },
    errors: readErrors,
  }),
  getPendingDomainGroupMembersList: endpoint({
    operation: 'getPendingDomainGroupMembersList',
    method: 'GET',
    path: '/pending_group_members',
    group: 'Group',
    summary: 'Lists the requests for membership in groups that a principal, by default the caller, may decide.',
    query: {
      principal: query('principal', queried.principal),
      domainName: query('domain', maybe.loweredText),
    },
    access: authenticate,
    responses: { 200: DomainGroupMembership },
    errors: readErrors,
  }),
  getDomainGroupMembers: endpoint({
    operation: 'getDomainGroupMembers',
    method: 'GET',
    path: '/domain/{domainName}/group/member',
    group: 'Group',
    summary: 'Lists the principals that are members of a domain’s groups.',
    params: inDomain,
    access: authenticate,
    responses: { 200: DomainGroupMembers },
    errors: readErrors,
  }),
}
