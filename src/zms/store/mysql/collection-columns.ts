import type { GroupBase, GroupMember, PendingGroupMember } from '../model.ts'
import { type Column, columnsOf } from './columns.ts'

const settings = columnsOf<GroupBase>()
const member = columnsOf<GroupMember>()
const pending = columnsOf<PendingGroupMember>()

/** Columns of settings that the tables of roles and of groups share. */
export const SETTING_COLUMNS: readonly Column<GroupBase>[] = [
  settings.flag('audit_enabled', 'auditEnabled'),
  settings.flag('self_serve', 'selfServe'),
  settings.flag('review_enabled', 'reviewEnabled'),
  settings.flag('delete_protection', 'deleteProtection'),
  settings.flag('self_renew', 'selfRenew'),
  settings.number('self_renew_mins', 'selfRenewMins'),
  settings.number('max_members', 'maxMembers'),
  settings.number('member_expiry_days', 'memberExpiryDays'),
  settings.number('service_expiry_days', 'serviceExpiryDays'),
  settings.text('notify_roles', 'notifyRoles'),
  settings.text('notify_details', 'notifyDetails'),
  settings.time('last_reviewed_time', 'lastReviewedDate'),
  settings.text('user_authority_filter', 'userAuthorityFilter'),
  settings.text('user_authority_expiration', 'userAuthorityExpiration'),
  settings.text('principal_domain_filter', 'principalDomainFilter'),
  settings.ownership('resource_owner', 'resourceOwnership'),
]

/** Columns that the tables of members share. */
export const MEMBER_COLUMNS: readonly Column<GroupMember>[] = [
  member.time('expiration', 'expiration'),
  member.nullableText('audit_ref', 'auditRef'),
  member.text('req_principal', 'requestPrincipal'),
  member.number('system_disabled', 'systemDisabled'),
  member.time('last_notified_time', 'lastNotifiedTime'),
  member.nullableText('server', 'server'),
]

/** Columns that the tables of pending members share. */
export const PENDING_COLUMNS: readonly Column<PendingGroupMember>[] = [
  pending.time('expiration', 'expiration'),
  pending.nullableText('audit_ref', 'auditRef'),
  pending.text('req_principal', 'requestPrincipal'),
  pending.time('req_time', 'requestTime'),
  pending.time('last_notified_time', 'lastNotifiedTime'),
  pending.nullableText('server', 'server'),
  pending.text('pending_state', 'pendingState'),
]
