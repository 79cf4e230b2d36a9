import { authorize, endpoint, nothing } from '#core/http/endpoint.ts'
import { lowered, maybe } from '#core/http/scalar-types.ts'
import { optional, struct, type ValueOf } from '#core/http/wire.ts'
import { collectionSettings, collectionSettingsInput } from './collection.ts'
import { audited, inDomain, owned, readErrors, unchanged, writeErrors } from './parameters.ts'
import { ResourceGroupOwnership, ResourceGroupOwnershipInput } from './resource-ownership.ts'

/** Settings of a group in requests; the resource ownership is read-only and ignored. */
export const groupSettingsInput = {
  ...collectionSettingsInput,
  resourceOwnership: optional(ResourceGroupOwnershipInput),
}

/** Settings of a group in replies. */
export const groupSettings = { ...collectionSettings, resourceOwnership: optional(ResourceGroupOwnership) }

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
    query: unchanged,
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
