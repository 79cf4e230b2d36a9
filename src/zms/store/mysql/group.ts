import type { GroupBase, GroupMember, PendingGroupMember } from '../model.ts'
import { CollectionRows } from './collection.ts'
import { columnsOf } from './columns.ts'
import type { Run, WriteScope } from './scope.ts'

const settings = columnsOf<GroupBase>()
const member = columnsOf<GroupMember>()
const pending = columnsOf<PendingGroupMember>()

/** The tables of groups. */
const rows = new CollectionRows<GroupBase, GroupMember, PendingGroupMember>({
  table: 'principal_group',
  id: 'group_id',
  members: 'principal_group_member',
  pending: 'pending_principal_group_member',
  tags: 'group_tags',
  audit: 'principal_group_audit_log',
  columns: [
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
  ],
  memberColumns: [
    member.time('expiration', 'expiration'),
    member.nullableText('audit_ref', 'auditRef'),
    member.text('req_principal', 'requestPrincipal'),
    member.number('system_disabled', 'systemDisabled'),
    member.time('last_notified_time', 'lastNotifiedTime'),
    member.nullableText('server', 'server'),
  ],
  pendingColumns: [
    pending.time('expiration', 'expiration'),
    pending.nullableText('audit_ref', 'auditRef'),
    pending.text('req_principal', 'requestPrincipal'),
    pending.time('req_time', 'requestTime'),
    pending.time('last_notified_time', 'lastNotifiedTime'),
    pending.nullableText('server', 'server'),
    pending.text('pending_state', 'pendingState'),
  ],
  byId: (draft) => draft.groups,
  byName: (domain) => domain.groups,
})

/** Queries for all groups of a domain. */
export const groupLoadSteps = rows.loadSteps()

/** Writers of changes of groups. */
export const groupWriters = {
  putGroup: (scope: WriteScope, run: Run<'putGroup'>) => rows.put(scope, run),
  deleteGroup: (scope: WriteScope, run: Run<'deleteGroup'>) => rows.delete(scope, run),
  putGroupMember: (scope: WriteScope, run: Run<'putGroupMember'>) => rows.putMembers(scope, run),
  deleteGroupMember: (scope: WriteScope, run: Run<'deleteGroupMember'>) => rows.deleteMembers(scope, run),
  putPendingGroupMember: (scope: WriteScope, run: Run<'putPendingGroupMember'>) => rows.putPending(scope, run),
  deletePendingGroupMember: (scope: WriteScope, run: Run<'deletePendingGroupMember'>) => rows.deletePending(scope, run),
  addGroupAudit: (scope: WriteScope, run: Run<'addGroupAudit'>) => rows.addAudit(scope, run, scope.settings.groupAudit),
}
