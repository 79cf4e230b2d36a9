import { authenticate, authorize, endpoint, nothing } from '#core/http/endpoint.ts'
import { lowered, maybe } from '#core/http/scalar-types.ts'
import { optional, struct, type ValueOf } from '#core/http/wire.ts'
import { collectionSettings, collectionSettingsInput } from './collection.ts'
import { audited, inDomain, owned, readErrors, unchanged, writeErrors } from './parameters.ts'
import { ResourceRoleOwnership, ResourceRoleOwnershipInput } from './resource-ownership.ts'

/** Settings that only roles have, and that requests and replies write alike. */
const settings = {
  tokenExpiryMins: maybe.int32,
  certExpiryMins: maybe.int32,
  memberReviewDays: maybe.int32,
  serviceReviewDays: maybe.int32,
  groupExpiryDays: maybe.int32,
  groupReviewDays: maybe.int32,
  description: maybe.emptyText,
}

/** Settings of a role in requests; the resource ownership is read-only and ignored. */
export const roleSettingsInput = {
  ...collectionSettingsInput,
  ...settings,
  resourceOwnership: optional(ResourceRoleOwnershipInput),
  signAlgorithm: maybe.loweredText,
}

/** Settings of a role in replies. */
export const roleSettings = {
  ...collectionSettings,
  ...settings,
  resourceOwnership: optional(ResourceRoleOwnership),
  signAlgorithm: maybe.emptyText,
}

/** Settings of a role in a request; only members that are present change anything. */
export const RoleMetaInput = struct('RoleMeta', roleSettingsInput)
export type RoleMetaInput = ValueOf<typeof RoleMetaInput>

/** Setting of a role that belongs to the operators. */
export const RoleSystemMetaInput = struct('RoleSystemMeta', { auditEnabled: maybe.bool })
export type RoleSystemMetaInput = ValueOf<typeof RoleSystemMetaInput>

const role = { ...inDomain, roleName: lowered.entity }

/** Settings of roles. */
export const roleMetaEndpoints = {
  putRoleMeta: endpoint({
    operation: 'putRoleMeta',
    method: 'PUT',
    path: '/domain/{domainName}/role/{roleName}/meta',
    group: 'Role',
    summary: 'Changes the settings of a role.',
    params: role,
    query: unchanged,
    headers: owned,
    body: RoleMetaInput,
    access: authenticate,
    responses: { 204: nothing },
    errors: writeErrors,
  }),
  putRoleSystemMeta: endpoint({
    operation: 'putRoleSystemMeta',
    method: 'PUT',
    path: '/domain/{domainName}/role/{roleName}/meta/system/{attribute}',
    group: 'Role',
    summary: 'Changes one setting of a role that belongs to the operators.',
    params: { ...role, attribute: lowered.simple },
    headers: audited,
    body: RoleSystemMetaInput,
    access: authorize('update', 'sys.auth:meta.role.{attribute}.{domainName}'),
    responses: { 204: nothing },
    errors: writeErrors,
  }),
  putResourceRoleOwnership: endpoint({
    operation: 'putResourceRoleOwnership',
    method: 'PUT',
    path: '/domain/{domainName}/role/{roleName}/ownership',
    group: 'Role',
    summary: 'Replaces the owners of a role.',
    params: role,
    headers: audited,
    body: optional(ResourceRoleOwnershipInput),
    access: authorize('update', '{domainName}:meta.role.ownership.{roleName}'),
    responses: { 204: nothing },
    errors: readErrors,
  }),
}
