import { authenticate, authorize, endpoint, nothing, query } from '#core/http/endpoint.ts'
import { lowered, maybe, off, queried, shown } from '#core/http/scalar-types.ts'
import { list, nullable, optional, struct, type ValueOf } from '#core/http/wire.ts'
import { memberState } from './collection.ts'
import { audited, inDomain, owned, readErrors, returning, writeErrors } from './parameters.ts'

/** A membership in a request; the names repeat those of the path. */
export const MembershipInput = struct('Membership', {
  ...memberState,
  isMember: maybe.bool,
  requestPrincipal: maybe.loweredResource,
  memberName: lowered.member,
  roleName: maybe.loweredResource,
  expiration: maybe.timestamp,
  reviewReminder: maybe.timestamp,
})
export type MembershipInput = ValueOf<typeof MembershipInput>

/** Whether and how a principal is a member of a role. */
export const Membership = struct('Membership', {
  ...memberState,
  isMember: maybe.bool,
  requestPrincipal: maybe.resource,
  memberName: shown.member,
  roleName: maybe.resource,
  expiration: maybe.time,
  reviewReminder: maybe.time,
})
export type Membership = ValueOf<typeof Membership>

/** A role in which a principal is a member. */
export const MemberRole = struct('MemberRole', {
  roleName: shown.resource,
  domainName: maybe.domain,
  memberName: optional(shown.member),
  expiration: maybe.time,
  reviewReminder: maybe.time,
  active: maybe.bool,
  auditRef: maybe.text,
  requestPrincipal: maybe.entity,
  requestTime: maybe.time,
  systemDisabled: maybe.int32,
  pendingState: maybe.text,
  trustRoleName: maybe.resource,
  notifyRoles: maybe.text,
  notifyDetails: maybe.text,
})
export type MemberRole = ValueOf<typeof MemberRole>

/** A principal with the roles it is a member of. */
export const DomainRoleMember = struct('DomainRoleMember', { memberName: shown.member, memberRoles: list(MemberRole) })
export type DomainRoleMember = ValueOf<typeof DomainRoleMember>

/** The principals that are members of roles of a domain. */
export const DomainRoleMembers = struct('DomainRoleMembers', {
  domainName: shown.domain,
  members: nullable(list(DomainRoleMember)),
})
export type DomainRoleMembers = ValueOf<typeof DomainRoleMembers>

/** The same for several domains. */
export const DomainRoleMembership = struct('DomainRoleMembership', { domainRoleMembersList: list(DomainRoleMembers) })
export type DomainRoleMembership = ValueOf<typeof DomainRoleMembership>

const member = { ...inDomain, roleName: lowered.entity, memberName: lowered.member }

/** Memberships in roles. */
export const roleMembershipEndpoints = {
  getMembership: endpoint({
    operation: 'getMembership',
    method: 'GET',
    path: '/domain/{domainName}/role/{roleName}/member/{memberName}',
    group: 'Role',
    summary: 'Says whether a principal is a member of a role, and until when.',
    params: member,
    query: { expiration: query('expiration', maybe.text) },
    access: authenticate,
    responses: { 200: Membership },
    errors: readErrors,
  }),
  putMembership: endpoint({
    operation: 'putMembership',
    method: 'PUT',
    path: '/domain/{domainName}/role/{roleName}/member/{memberName}',
    group: 'Role',
    summary: 'Adds a member to a role, asks for it where approval is needed, or changes its dates.',
    params: member,
    headers: returning,
    body: MembershipInput,
    access: authenticate,
    responses: { 204: nothing, 200: Membership },
    errors: writeErrors,
  }),
  deleteMembership: endpoint({
    operation: 'deleteMembership',
    method: 'DELETE',
    path: '/domain/{domainName}/role/{roleName}/member/{memberName}',
    group: 'Role',
    summary: 'Removes a member from a role.',
    params: member,
    headers: owned,
    access: authenticate,
    responses: { 204: nothing },
    errors: writeErrors,
  }),
  deletePendingMembership: endpoint({
    operation: 'deletePendingMembership',
    method: 'DELETE',
    path: '/domain/{domainName}/role/{roleName}/pendingmember/{memberName}',
    group: 'Role',
    summary: 'Withdraws a request for membership in a role.',
    params: member,
    headers: audited,
    access: authenticate,
    responses: { 204: nothing },
    errors: writeErrors,
  }),
  putMembershipDecision: endpoint({
    operation: 'putMembershipDecision',
    method: 'PUT',
    path: '/domain/{domainName}/role/{roleName}/member/{memberName}/decision',
    group: 'Role',
    summary: 'Approves or rejects a request for membership in a role.',
    params: member,
    headers: audited,
    body: MembershipInput,
    access: authenticate,
    responses: { 204: nothing },
    errors: writeErrors,
  }),
  getOverdueReview: endpoint({
    operation: 'getOverdueReview',
    method: 'GET',
    path: '/domain/{domainName}/overdue',
    group: 'Role',
    summary: 'Lists the members of a domain’s roles whose review is overdue.',
    params: inDomain,
    access: authenticate,
    responses: { 200: DomainRoleMembers },
    errors: readErrors,
  }),
  getDomainRoleMembers: endpoint({
    operation: 'getDomainRoleMembers',
    method: 'GET',
    path: '/domain/{domainName}/member',
    group: 'Role',
    summary: 'Lists the principals that are members of a domain’s roles.',
    params: inDomain,
    access: authenticate,
    responses: { 200: DomainRoleMembers },
    errors: readErrors,
  }),
  deleteDomainRoleMember: endpoint({
    operation: 'deleteDomainRoleMember',
    method: 'DELETE',
    path: '/domain/{domainName}/member/{memberName}',
    group: 'User',
    summary: 'Removes a principal from all roles of a domain.',
    params: { ...inDomain, memberName: lowered.member },
    headers: audited,
    access: authorize('update', '{domainName}:'),
    responses: { 204: nothing },
    errors: writeErrors,
  }),
  getPrincipalRoles: endpoint({
    operation: 'getPrincipalRoles',
    method: 'GET',
    path: '/role',
    group: 'Role',
    summary:
      'Lists the roles of a principal, by default the caller; on request those it has through groups and delegation.',
    query: {
      principal: query('principal', queried.principal),
      domainName: query('domain', queried.domain),
      expand: query('expand', off),
    },
    access: authenticate,
    responses: { 200: DomainRoleMember },
    errors: readErrors,
  }),
  getPendingDomainRoleMembersList: endpoint({
    operation: 'getPendingDomainRoleMembersList',
    method: 'GET',
    path: '/pending_members',
    group: 'DomainRoleMembership',
    summary: 'Lists the requests for membership in roles that a principal, by default the caller, may decide.',
    query: {
      principal: query('principal', queried.principal),
      domainName: query('domain', maybe.loweredText),
    },
    access: authenticate,
    responses: { 200: DomainRoleMembership },
    errors: readErrors,
  }),
}
