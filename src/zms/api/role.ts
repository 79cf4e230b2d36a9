import { authenticate, authorize, endpoint, nothing, query } from '#core/http/endpoint.ts'
import { lowered, maybe, off, shown } from '#core/http/scalar-types.ts'
import { list, lower, optional, struct, type ValueOf } from '#core/http/wire.ts'
import { auditLogOf, memberInput, memberReply } from './collection.ts'
import {
  audited,
  inDomain,
  openReadErrors,
  owned,
  page,
  readErrors,
  returning,
  reviewed,
  tagged,
  writeErrors,
} from './parameters.ts'
import { roleSettings, roleSettingsInput } from './role-meta.ts'

/** Member of a role in a request. What the server sets itself is read and ignored. */
export const RoleMemberInput = struct('RoleMember', {
  ...memberInput,
  memberName: lowered.member,
  reviewReminder: maybe.timestamp,
})
export type RoleMemberInput = ValueOf<typeof RoleMemberInput>

/** Member of a role in a reply. */
export const RoleMember = struct('RoleMember', {
  ...memberReply,
  memberName: shown.member,
  reviewReminder: maybe.time,
})
export type RoleMember = ValueOf<typeof RoleMember>

/** One change of a role's members. */
export const RoleAuditLog = auditLogOf('RoleAuditLog', shown.member)
export type RoleAuditLog = ValueOf<typeof RoleAuditLog>

/**
 * A role in a request. `name` is the local or the full name; `members` is the old form of `roleMembers` and stands for
 * members without dates. The modification time and the log are read and ignored.
 */
export const RoleInput = struct('Role', {
  ...roleSettingsInput,
  name: lowered.resource,
  modified: maybe.timestamp,
  members: optional(list(lowered.member)),
  roleMembers: optional(list(RoleMemberInput)),
  trust: maybe.loweredDomain,
  auditLog: optional(list(RoleAuditLog)),
})
export type RoleInput = ValueOf<typeof RoleInput>

/** A role in a reply, under its full name. */
export const Role = struct('Role', {
  ...roleSettings,
  name: shown.resource,
  modified: maybe.time,
  members: optional(list(shown.member)),
  roleMembers: optional(list(RoleMember)),
  trust: maybe.domain,
  auditLog: optional(list(RoleAuditLog)),
})
export type Role = ValueOf<typeof Role>

/** Several roles. */
export const Roles = struct('Roles', { list: list(Role) })
export type Roles = ValueOf<typeof Roles>

/** Local names of roles; `next` is the `skip` of the next page. */
export const RoleList = struct('RoleList', { names: list(shown.entity), next: maybe.text })
export type RoleList = ValueOf<typeof RoleList>

/**
 * Full names of principals that administer a domain. The original does not check them: a name that cannot be is one of a
 * domain that does not exist.
 */
export const DefaultAdminsInput = struct('DefaultAdmins', { admins: list(lower(shown.resource)) })
export type DefaultAdminsInput = ValueOf<typeof DefaultAdminsInput>

const role = { ...inDomain, roleName: lowered.entity }

/** Roles as a whole. */
export const roleEndpoints = {
  getRoleList: endpoint({
    operation: 'getRoleList',
    method: 'GET',
    path: '/domain/{domainName}/role',
    group: 'Role',
    summary: 'Lists the local names of the roles of a domain.',
    params: inDomain,
    query: page,
    access: authenticate,
    responses: { 200: RoleList },
    errors: readErrors,
  }),
  getRoles: endpoint({
    operation: 'getRoles',
    method: 'GET',
    path: '/domain/{domainName}/roles',
    group: 'Role',
    summary: 'Reads the roles of a domain, with their members when asked for.',
    params: inDomain,
    query: { members: query('members', off), ...tagged },
    access: authenticate,
    responses: { 200: Roles },
    errors: openReadErrors,
  }),
  getRole: endpoint({
    operation: 'getRole',
    method: 'GET',
    path: '/domain/{domainName}/role/{roleName}',
    group: 'Role',
    summary: 'Reads a role with its members; on request the log, the members of a delegated role and pending members.',
    params: role,
    query: {
      auditLog: query('auditLog', off),
      expand: query('expand', off),
      pending: query('pending', off),
    },
    access: authenticate,
    responses: { 200: Role },
    errors: readErrors,
  }),
  putRole: endpoint({
    operation: 'putRole',
    method: 'PUT',
    path: '/domain/{domainName}/role/{roleName}',
    group: 'Role',
    summary: 'Creates or replaces a role.',
    params: role,
    headers: returning,
    body: RoleInput,
    access: authorize('update', '{domainName}:role.{roleName}'),
    responses: { 204: nothing, 200: Role },
    errors: writeErrors,
  }),
  deleteRole: endpoint({
    operation: 'deleteRole',
    method: 'DELETE',
    path: '/domain/{domainName}/role/{roleName}',
    group: 'Role',
    summary: 'Deletes a role.',
    params: role,
    headers: owned,
    access: authorize('delete', '{domainName}:role.{roleName}'),
    responses: { 204: nothing },
    errors: writeErrors,
  }),
  putRoleReview: endpoint({
    operation: 'putRoleReview',
    method: 'PUT',
    path: '/domain/{domainName}/role/{roleName}/review',
    group: 'Role',
    summary: 'Extends or removes the members named in the body and notes that the role was reviewed.',
    params: role,
    query: reviewed,
    headers: returning,
    body: RoleInput,
    access: authenticate,
    responses: { 204: nothing, 200: Role },
    errors: writeErrors,
  }),
  putDefaultAdmins: endpoint({
    operation: 'putDefaultAdmins',
    method: 'PUT',
    path: '/domain/{domainName}/admins',
    group: 'Role',
    summary: 'Gives a domain its administrators again, where its role or policy of them was lost.',
    params: inDomain,
    headers: audited,
    body: DefaultAdminsInput,
    access: authorize('update', 'sys.auth:domain'),
    responses: { 204: nothing },
    errors: readErrors,
  }),
}
