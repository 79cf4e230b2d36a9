import { authorize, endpoint, nothing } from '#core/http/endpoint.ts'
import { lowered, maybe } from '#core/http/scalar-types.ts'
import { optional, struct, type ValueOf } from '#core/http/wire.ts'
import { audited, inDomain, owned, readErrors, writeErrors } from './parameters.ts'
import { ResourceGroupOwnership, ResourceGroupOwnershipInput } from './resource-ownership.ts'
import { Tags, TagsInput } from './tag.ts'

/** Settings that requests and replies write alike. */
const settings = {
  selfServe: maybe.bool,
  reviewEnabled: maybe.bool,
  userAuthorityFilter: maybe.emptyText,
  userAuthorityExpiration: maybe.emptyText,
  memberExpiryDays: maybe.int32,
  serviceExpiryDays: maybe.int32,
  auditEnabled: maybe.bool,
  deleteProtection: maybe.bool,
  selfRenew: maybe.bool,
  selfRenewMins: maybe.int32,
  maxMembers: maybe.int32,
  principalDomainFilter: maybe.emptyText,
  notifyDetails: maybe.emptyText,
}

/** Settings of a group in requests; the resource ownership is read-only and ignored. */
export const groupSettingsInput = {
  ...settings,
  resourceOwnership: optional(ResourceGroupOwnershipInput),
  notifyRoles: maybe.loweredText,
  tags: TagsInput,
  lastReviewedDate: maybe.timestamp,
}

/** Settings of a group in replies. */
export const groupSettings = {
  ...settings,
  resourceOwnership: optional(ResourceGroupOwnership),
  notifyRoles: maybe.emptyText,
  tags: Tags,
  lastReviewedDate: maybe.time,
}

/** Settings of a group in a request. */
export const GroupMetaInput = struct('GroupMeta', groupSettingsInput)
export type GroupMetaInput = ValueOf<typeof GroupMetaInput>

/** Setting of a group that belongs to the operators. */
export const GroupSystemMetaInput = struct('GroupSystemMeta', { auditEnabled: maybe.bool })
export type GroupSystemMetaInput = ValueOf<typeof GroupSystemMetaInput>

const group = { ...inDomain, groupName: lowered.entity }

/** Settings of groups. */
export const groupMetaEndpoints = {
  putGroupMeta: endpoint({
    operation: 'putGroupMeta',
    method: 'PUT',
    path: '/domain/{domainName}/group/{groupName}/meta',
    group: 'Group',
    summary: 'Changes the settings of a group.',
    params: group,
    headers: owned,
    body: GroupMetaInput,
    access: authorize('update', '{domainName}:group.{groupName}'),
    responses: { 204: nothing },
    errors: writeErrors,
  }),
  putGroupSystemMeta: endpoint({
    operation: 'putGroupSystemMeta',
    method: 'PUT',
    path: '/domain/{domainName}/group/{groupName}/meta/system/{attribute}',
    group: 'Group',
    summary: 'Changes one setting of a group that belongs to the operators.',
    params: { ...group, attribute: lowered.simple },
    headers: audited,
    body: GroupSystemMetaInput,
    access: authorize('update', 'sys.auth:meta.group.{attribute}.{domainName}'),
    responses: { 204: nothing },
    errors: writeErrors,
  }),
  putResourceGroupOwnership: endpoint({
    operation: 'putResourceGroupOwnership',
    method: 'PUT',
    path: '/domain/{domainName}/group/{groupName}/ownership',
    group: 'Group',
    summary: 'Replaces the owners of a group.',
    params: group,
    headers: audited,
    body: optional(ResourceGroupOwnershipInput),
    access: authorize('update', '{domainName}:meta.group.ownership.{groupName}'),
    responses: { 204: nothing },
    errors: readErrors,
  }),
}
