import { authenticate, authorize, endpoint, nothing, query } from '#core/http/endpoint.ts'
import { lowered, maybe, off, shown } from '#core/http/scalar-types.ts'
import { list, optional, struct, type ValueOf } from '#core/http/wire.ts'
import { auditLogOf, memberInput, memberReply } from './collection.ts'
import { groupSettings, groupSettingsInput } from './group-meta.ts'
import { inDomain, openReadErrors, owned, readErrors, returning, reviewed, tagged, writeErrors } from './parameters.ts'

/** Member of a group in a request. What the server sets itself is read and ignored. */
export const GroupMemberInput = struct('GroupMember', {
  ...memberInput,
  notifyRoles: maybe.text,
  notifyDetails: maybe.text,
  memberName: optional(lowered.groupMember),
  groupName: maybe.loweredResource,
  domainName: maybe.loweredDomain,
})
export type GroupMemberInput = ValueOf<typeof GroupMemberInput>

/** Member of a group in a reply, or in lists by principal the group it is a member of. */
export const GroupMember = struct('GroupMember', {
  ...memberReply,
  notifyRoles: maybe.text,
  notifyDetails: maybe.text,
  memberName: optional(shown.groupMember),
  groupName: maybe.resource,
  domainName: maybe.domain,
})
export type GroupMember = ValueOf<typeof GroupMember>

/** One change of a group's members. */
export const GroupAuditLog = auditLogOf('GroupAuditLog', shown.groupMember)
export type GroupAuditLog = ValueOf<typeof GroupAuditLog>

/** A group in a request. `name` is the local or the full name; the modification time and the log are ignored. */
export const GroupInput = struct('Group', {
  ...groupSettingsInput,
  name: lowered.resource,
  modified: maybe.timestamp,
  groupMembers: optional(list(GroupMemberInput)),
  auditLog: optional(list(GroupAuditLog)),
})
export type GroupInput = ValueOf<typeof GroupInput>

/** A group in a reply, under its full name. */
export const Group = struct('Group', {
  ...groupSettings,
  name: shown.resource,
  modified: maybe.time,
  groupMembers: optional(list(GroupMember)),
  auditLog: optional(list(GroupAuditLog)),
})
export type Group = ValueOf<typeof Group>

/** Several groups. */
export const Groups = struct('Groups', { list: list(Group) })
export type Groups = ValueOf<typeof Groups>

const group = { ...inDomain, groupName: lowered.entity }

/** Groups as a whole. */
export const groupEndpoints = {
  getGroups: endpoint({
    operation: 'getGroups',
    method: 'GET',
    path: '/domain/{domainName}/groups',
    group: 'Group',
    summary: 'Reads the groups of a domain, with their members when asked for.',
    params: inDomain,
    query: { members: query('members', off), ...tagged },
    access: authenticate,
    responses: { 200: Groups },
    errors: openReadErrors,
  }),
  getGroup: endpoint({
    operation: 'getGroup',
    method: 'GET',
    path: '/domain/{domainName}/group/{groupName}',
    group: 'Group',
    summary: 'Reads a group with its members; on request the log and pending members.',
    params: group,
    query: { auditLog: query('auditLog', off), pending: query('pending', off) },
    access: authenticate,
    responses: { 200: Group },
    errors: readErrors,
  }),
  putGroup: endpoint({
    operation: 'putGroup',
    method: 'PUT',
    path: '/domain/{domainName}/group/{groupName}',
    group: 'Group',
    summary: 'Creates or replaces a group.',
    params: group,
    headers: returning,
    body: GroupInput,
    access: authorize('update', '{domainName}:group.{groupName}'),
    responses: { 204: nothing, 200: Group },
    errors: writeErrors,
  }),
  deleteGroup: endpoint({
    operation: 'deleteGroup',
    method: 'DELETE',
    path: '/domain/{domainName}/group/{groupName}',
    group: 'Group',
    summary: 'Deletes a group that is no member of any role.',
    params: group,
    headers: owned,
    access: authorize('delete', '{domainName}:group.{groupName}'),
    responses: { 204: nothing },
    errors: writeErrors,
  }),
  putGroupReview: endpoint({
    operation: 'putGroupReview',
    method: 'PUT',
    path: '/domain/{domainName}/group/{groupName}/review',
    group: 'Group',
    summary: 'Extends or removes the members named in the body and notes that the group was reviewed.',
    params: group,
    query: reviewed,
    headers: returning,
    body: GroupInput,
    access: authenticate,
    responses: { 204: nothing, 200: Group },
    errors: writeErrors,
  }),
}
