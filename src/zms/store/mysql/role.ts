import type { PendingRoleMember, RoleBase, RoleMember } from '../model.ts'
import { CollectionRows } from './collection.ts'
import { columnsOf } from './columns.ts'
import type { Run, WriteScope } from './scope.ts'

const settings = columnsOf<RoleBase>()
const member = columnsOf<RoleMember>()
const pending = columnsOf<PendingRoleMember>()

/** The tables of roles. */
const rows = new CollectionRows<RoleBase, RoleMember, PendingRoleMember>({
  table: 'role',
  id: 'role_id',
  members: 'role_member',
  pending: 'pending_role_member',
  tags: 'role_tags',
  audit: 'role_audit_log',
  columns: [
    settings.text('trust', 'trust'),
    settings.text('description', 'description'),
    settings.flag('audit_enabled', 'auditEnabled'),
    settings.flag('self_serve', 'selfServe'),
    settings.flag('review_enabled', 'reviewEnabled'),
    settings.flag('delete_protection', 'deleteProtection'),
    settings.flag('self_renew', 'selfRenew'),
    settings.number('self_renew_mins', 'selfRenewMins'),
    settings.number('max_members', 'maxMembers'),
    settings.number('member_expiry_days', 'memberExpiryDays'),
    settings.number('service_expiry_days', 'serviceExpiryDays'),
    settings.number('group_expiry_days', 'groupExpiryDays'),
    settings.number('member_review_days', 'memberReviewDays'),
    settings.number('service_review_days', 'serviceReviewDays'),
    settings.number('group_review_days', 'groupReviewDays'),
    settings.number('token_expiry_mins', 'tokenExpiryMins'),
    settings.number('cert_expiry_mins', 'certExpiryMins'),
    settings.text('sign_algorithm', 'signAlgorithm'),
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
    member.time('review_reminder', 'reviewReminder'),
    member.nullableText('audit_ref', 'auditRef'),
    member.text('req_principal', 'requestPrincipal'),
    member.number('system_disabled', 'systemDisabled'),
    member.time('last_notified_time', 'lastNotifiedTime'),
    member.nullableText('server', 'server'),
    member.time('review_last_notified_time', 'reviewLastNotifiedTime'),
    member.nullableText('review_server', 'reviewServer'),
  ],
  pendingColumns: [
    pending.time('expiration', 'expiration'),
    pending.time('review_reminder', 'reviewReminder'),
    pending.nullableText('audit_ref', 'auditRef'),
    pending.text('req_principal', 'requestPrincipal'),
    pending.time('req_time', 'requestTime'),
    pending.time('last_notified_time', 'lastNotifiedTime'),
    pending.nullableText('server', 'server'),
    pending.text('pending_state', 'pendingState'),
  ],
  byId: (draft) => draft.roles,
  byName: (domain) => domain.roles,
})

/** Queries for all roles of a domain. */
export const roleLoadSteps = rows.loadSteps()

/** Writers of changes of roles. */
export const roleWriters = {
  putRole: (scope: WriteScope, run: Run<'putRole'>) => rows.put(scope, run),
  deleteRole: (scope: WriteScope, run: Run<'deleteRole'>) => rows.delete(scope, run),
  putRoleMember: (scope: WriteScope, run: Run<'putRoleMember'>) => rows.putMembers(scope, run),
  deleteRoleMember: (scope: WriteScope, run: Run<'deleteRoleMember'>) => rows.deleteMembers(scope, run),
  putPendingRoleMember: (scope: WriteScope, run: Run<'putPendingRoleMember'>) => rows.putPending(scope, run),
  deletePendingRoleMember: (scope: WriteScope, run: Run<'deletePendingRoleMember'>) => rows.deletePending(scope, run),
  addRoleAudit: (scope: WriteScope, run: Run<'addRoleAudit'>) => rows.addAudit(scope, run, scope.settings.roleAudit),
}
