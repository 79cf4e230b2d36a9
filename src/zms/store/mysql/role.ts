import { Members } from '#core/rbac/members.ts'
import type { MutableRole } from '../change.ts'
import type { PendingRoleMember, RoleBase, RoleMember } from '../model.ts'
import { SmallMap } from '../small-map.ts'
import { CollectionRows } from './collection.ts'
import { columnsOf } from './columns.ts'
import type { Run, WriteScope } from './scope.ts'

const settings = columnsOf<RoleBase>()
const member = columnsOf<RoleMember>()
const pending = columnsOf<PendingRoleMember>()

/** The tables of roles. */
export const roleRows = new CollectionRows<RoleBase, RoleMember, PendingRoleMember>({
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
})

/** Queries for all roles of a domain. */
export const roleLoadSteps = roleRows.loadSteps<MutableRole>(
  (draft) => ({ byId: draft.roles, byName: draft.domain.roles }),
  (base) => ({ ...base, members: new Members<RoleMember>(), pending: new SmallMap<string, PendingRoleMember>() }),
)

const placeOf = ([{ domain, role }]: readonly [{ domain: string; role: string }, ...unknown[]]) => ({
  domain,
  name: role,
})

/** Writers of changes of roles. */
export const roleWriters = {
  async putRole(scope: WriteScope, run: Run<'putRole'>) {
    for (const { domain, value } of run) {
      const stored = scope.storedTags(`role:${value.name}`, domain, ({ roles }) => roles.get(value.name))
      await roleRows.put(scope, domain, value, stored)
    }
  },
  async deleteRole(scope: WriteScope, run: Run<'deleteRole'>) {
    for (const { domain, role } of run) await roleRows.delete(scope, { domain, name: role })
  },
  putRoleMember: (scope: WriteScope, run: Run<'putRoleMember'>) =>
    roleRows.putMembers(
      scope,
      placeOf(run),
      run.map(({ value }) => value),
    ),
  deleteRoleMember: (scope: WriteScope, run: Run<'deleteRoleMember'>) =>
    roleRows.deleteMembers(
      scope,
      placeOf(run),
      run.map((change) => change.member),
    ),
  putPendingRoleMember: (scope: WriteScope, run: Run<'putPendingRoleMember'>) =>
    roleRows.putPending(
      scope,
      placeOf(run),
      run.map(({ value }) => value),
    ),
  deletePendingRoleMember: (scope: WriteScope, run: Run<'deletePendingRoleMember'>) =>
    roleRows.deletePending(
      scope,
      placeOf(run),
      run.map((change) => change.member),
    ),
  addRoleAudit: (scope: WriteScope, run: Run<'addRoleAudit'>) =>
    roleRows.addAudit(
      scope,
      placeOf(run),
      run.map(({ value }) => value),
      scope.settings.roleAudit,
    ),
}
