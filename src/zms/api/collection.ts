import { maybe, shown } from '#core/http/scalar-types.ts'
import { type StructOf, struct, time, type WireType } from '#core/http/wire.ts'
import { Tags, TagsInput } from './tag.ts'

/** Settings of roles and groups that requests and replies write alike. */
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

/** Settings of roles and groups in requests. */
export const collectionSettingsInput = {
  ...settings,
  notifyRoles: maybe.loweredText,
  tags: TagsInput,
  lastReviewedDate: maybe.timestamp,
}
export type CollectionSettingsInput = StructOf<typeof collectionSettingsInput>

/** Settings of roles and groups in replies. */
export const collectionSettings = {
  ...settings,
  notifyRoles: maybe.emptyText,
  tags: Tags,
  lastReviewedDate: maybe.time,
}

/** How a membership stands: what requests and replies write alike. */
export const memberState = {
  active: maybe.bool,
  approved: maybe.bool,
  auditRef: maybe.text,
  systemDisabled: maybe.int32,
  pendingState: maybe.text,
}

/** Parts of a member of a role or group in requests. What the server sets itself is read and ignored. */
export const memberInput = {
  ...memberState,
  principalType: maybe.int32,
  requestPrincipal: maybe.loweredResource,
  expiration: maybe.timestamp,
  requestTime: maybe.timestamp,
  lastNotifiedTime: maybe.timestamp,
  reviewLastNotifiedTime: maybe.timestamp,
}

/** Parts of a member of a role or group in replies; `pendingState` is `ADD` or `DELETE`. */
export const memberReply = {
  ...memberState,
  principalType: maybe.int32,
  requestPrincipal: maybe.resource,
  expiration: maybe.time,
  requestTime: maybe.time,
  lastNotifiedTime: maybe.time,
  reviewLastNotifiedTime: maybe.time,
}

/** One change of the members of a role or group, under the published name of its type. */
export const auditLogOf = (name: string, member: WireType<string>) =>
  struct(name, { member, admin: shown.resource, created: time(), action: shown.text, auditRef: maybe.text })
