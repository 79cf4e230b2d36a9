import { Members } from '#core/rbac/members.ts'
import type { MutableGroup } from '../change.ts'
import type { GroupBase, GroupMember, PendingGroupMember } from '../model.ts'
import { SmallMap } from '../small-map.ts'
import { CollectionRows } from './collection.ts'
import { columnsOf } from './columns.ts'
import type { Run, WriteScope } from './scope.ts'

const settings = columnsOf<GroupBase>()
const member = columnsOf<GroupMember>()
const pending = columnsOf<PendingGroupMember>()

/** The tables of groups. */
export const groupRows = new CollectionRows<GroupBase, GroupMember, PendingGroupMember>({
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
})

/** Queries for all groups of a domain. */
export const groupLoadSteps = groupRows.loadSteps<MutableGroup>(
  (draft) => ({ byId: draft.groups, byName: draft.domain.groups }),
  (base) => ({ ...base, members: new Members<GroupMember>(), pending: new SmallMap<string, PendingGroupMember>() }),
)

const placeOf = ([{ domain, group }]: readonly [{ domain: string; group: string }, ...unknown[]]) => ({
  domain,
  name: group,
})

/** Writers of changes of groups. */
export const groupWriters = {
  async putGroup(scope: WriteScope, run: Run<'putGroup'>) {
    for (const { domain, value } of run) {
      const stored = scope.storedTags(`group:${value.name}`, domain, ({ groups }) => groups.get(value.name))
      await groupRows.put(scope, domain, value, stored)
    }
  },
  async deleteGroup(scope: WriteScope, run: Run<'deleteGroup'>) {
    for (const { domain, group } of run) await groupRows.delete(scope, { domain, name: group })
  },
  putGroupMember: (scope: WriteScope, run: Run<'putGroupMember'>) =>
    groupRows.putMembers(
      scope,
      placeOf(run),
      run.map(({ value }) => value),
    ),
  deleteGroupMember: (scope: WriteScope, run: Run<'deleteGroupMember'>) =>
    groupRows.deleteMembers(
      scope,
      placeOf(run),
      run.map((change) => change.member),
    ),
  putPendingGroupMember: (scope: WriteScope, run: Run<'putPendingGroupMember'>) =>
    groupRows.putPending(
      scope,
      placeOf(run),
      run.map(({ value }) => value),
    ),
  deletePendingGroupMember: (scope: WriteScope, run: Run<'deletePendingGroupMember'>) =>
    groupRows.deletePending(
      scope,
      placeOf(run),
      run.map((change) => change.member),
    ),
  addGroupAudit: (scope: WriteScope, run: Run<'addGroupAudit'>) =>
    groupRows.addAudit(
      scope,
      placeOf(run),
      run.map(({ value }) => value),
      scope.settings.groupAudit,
    ),
}
