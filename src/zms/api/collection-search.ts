import { authenticate, endpoint, query } from '#core/http/endpoint.ts'
import { lowered, maybe, off, queried, shown } from '#core/http/scalar-types.ts'
import { bool, int32, list, optional, struct, time, type ValueOf } from '#core/http/wire.ts'
import { groupSettings } from './group-meta.ts'
import { filteredPage, inDomain, readErrors, tagged } from './parameters.ts'
import { roleSettings } from './role-meta.ts'

/**
 * How many members a role or group has by how they stand; `pending` counts requests, `overdue` the members whose review
 * reminder has passed, whatever their state.
 */
export const MemberCounts = struct({
  active: int32(),
  expired: int32(),
  disabled: int32(),
  pending: int32(),
  overdue: int32(),
})
export type MemberCounts = ValueOf<typeof MemberCounts>

/** What roles and groups tell of themselves beside their settings. */
const summary = {
  /** Full name. */
  name: shown.resource,
  modified: maybe.time,
  created: maybe.time,
  /** When the members are to be reviewed; absent where the settings demand no review. */
  reviewDue: maybe.time,
  memberCounts: MemberCounts,
}

/** A role without its members: its settings, and how many members it has. */
export const RoleSummary = struct({ ...roleSettings, ...summary, trust: maybe.domain })
export type RoleSummary = ValueOf<typeof RoleSummary>

/** A group likewise. */
export const GroupSummary = struct({ ...groupSettings, ...summary })
export type GroupSummary = ValueOf<typeof GroupSummary>

/** How a membership stands. `disabled` wins over `expired`; `pending` is only requested. */
export const MEMBER_STATES = ['active', 'expired', 'disabled', 'pending'] as const

/** A requested change of a membership. */
const MembershipRequest = struct({
  /** `ADD` or `DELETE`. */
  pendingState: shown.text,
  requestPrincipal: maybe.resource,
  requestTime: time(),
  expiration: maybe.time,
  reviewReminder: maybe.time,
  auditRef: maybe.text,
})

/** Membership of one principal: what it has, and what is requested for it. */
export const MemberSummary = struct({
  memberName: shown.member,
  principalType: int32(),
  /** One of {@link MEMBER_STATES}. */
  state: shown.text,
  /** Whether it has an entry of its own, or comes through others only. */
  direct: bool(),
  /** Full names of the groups, or of the roles of the trusted domain, through which it comes. */
  through: optional(list(shown.resource)),
  expiration: maybe.time,
  reviewReminder: maybe.time,
  /** The review reminder has passed. */
  overdue: bool(),
  auditRef: maybe.text,
  requestPrincipal: maybe.resource,
  systemDisabled: maybe.int32,
  /** What disabled it: `authority-filter`, `authority`, `operator`. */
  disabledBy: optional(list(shown.text)),
  request: optional(MembershipRequest),
})
export type MemberSummary = ValueOf<typeof MemberSummary>

/** A part of a list: `total` of it pass the filter, `next` is the `skip` of the next part. */
const part = { total: int32(), next: maybe.text }

/** Line in the history of members. */
const MemberHistoryEntry = struct({
  member: shown.member,
  admin: shown.resource,
  created: time(),
  action: shown.text,
  auditRef: maybe.text,
})

/** A part of the history of members, newest first; `next` is the `skip` of the next part. */
export const MemberHistory = struct({ list: list(MemberHistoryEntry), next: maybe.text })
export type MemberHistory = ValueOf<typeof MemberHistory>

/** Parts of the lists of roles, groups and members. */
export const RoleSummaries = struct({ list: list(RoleSummary), ...part })
export type RoleSummaries = ValueOf<typeof RoleSummaries>
export const GroupSummaries = struct({ list: list(GroupSummary), ...part })
export type GroupSummaries = ValueOf<typeof GroupSummaries>
export const RoleMembersPage = struct({ role: RoleSummary, list: list(MemberSummary), ...part })
export type RoleMembersPage = ValueOf<typeof RoleMembersPage>
export const GroupMembersPage = struct({ group: GroupSummary, list: list(MemberSummary), ...part })
export type GroupMembersPage = ValueOf<typeof GroupMembersPage>

const role = { ...inDomain, roleName: lowered.entity }
const group = { ...inDomain, groupName: lowered.entity }
const ofMembers = {
  ...filteredPage,
  /** Only the principal of exactly this name. */
  memberName: query('memberName', queried.text),
  /** Only members that stand so (see {@link MEMBER_STATES}), that have a request (`pending`), or are `overdue`. */
  state: query('state', queried.text),
}

/** Lists of roles, groups and their members for people, a part at a time. */
export const collectionSearchEndpoints = {
  searchRoles: endpoint({
    operation: 'searchRoles',
    method: 'GET',
    path: '/sys/domain/{domainName}/role',
    group: 'Role',
    summary: 'Lists a part of the roles of a domain with their settings and numbers of members.',
    params: inDomain,
    query: { ...filteredPage, ...tagged },
    access: authenticate,
    responses: { 200: RoleSummaries },
    errors: readErrors,
  }),
  searchRoleMembers: endpoint({
    operation: 'searchRoleMembers',
    method: 'GET',
    path: '/sys/domain/{domainName}/role/{roleName}/member',
    group: 'Role',
    summary: 'Lists a part of the members of a role; on request those of its groups or of the trusted domain.',
    params: role,
    query: { ...ofMembers, expand: query('expand', off) },
    access: authenticate,
    responses: { 200: RoleMembersPage },
    errors: readErrors,
  }),
  getRoleMemberHistory: endpoint({
    operation: 'getRoleMemberHistory',
    method: 'GET',
    path: '/sys/domain/{domainName}/role/{roleName}/history',
    group: 'Role',
    summary: 'Lists a part of what happened to the members of a role, newest first.',
    params: role,
    query: filteredPage,
    access: authenticate,
    responses: { 200: MemberHistory },
    errors: readErrors,
  }),
  searchGroups: endpoint({
    operation: 'searchGroups',
    method: 'GET',
    path: '/sys/domain/{domainName}/group',
    group: 'Group',
    summary: 'Lists a part of the groups of a domain with their settings and numbers of members.',
    params: inDomain,
    query: { ...filteredPage, ...tagged },
    access: authenticate,
    responses: { 200: GroupSummaries },
    errors: readErrors,
  }),
  searchGroupMembers: endpoint({
    operation: 'searchGroupMembers',
    method: 'GET',
    path: '/sys/domain/{domainName}/group/{groupName}/member',
    group: 'Group',
    summary: 'Lists a part of the members of a group.',
    params: group,
    query: ofMembers,
    access: authenticate,
    responses: { 200: GroupMembersPage },
    errors: readErrors,
  }),
  getGroupMemberHistory: endpoint({
    operation: 'getGroupMemberHistory',
    method: 'GET',
    path: '/sys/domain/{domainName}/group/{groupName}/history',
    group: 'Group',
    summary: 'Lists a part of what happened to the members of a group, newest first.',
    params: group,
    query: filteredPage,
    access: authenticate,
    responses: { 200: MemberHistory },
    errors: readErrors,
  }),
}
