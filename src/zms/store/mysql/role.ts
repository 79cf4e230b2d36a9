import type { PendingRoleMember, RoleBase, RoleMember } from '../model.ts'
import { CollectionRows } from './collection.ts'
import { MEMBER_COLUMNS, PENDING_COLUMNS, SETTING_COLUMNS } from './collection-columns.ts'
import { columnsOf } from './columns.ts'
import type { Run, WriteScope } from './scope.ts'

const settings = columnsOf<RoleBase>()
const member = columnsOf<RoleMember>()
const pending = columnsOf<PendingRoleMember>()

/** Columns of the settings of a role. */
export const ROLE_COLUMNS = [
  ...SETTING_COLUMNS,
  settings.text('trust', 'trust'),
  settings.text('description', 'description'),
  settings.number('group_expiry_days', 'groupExpiryDays'),
  settings.number('member_review_days', 'memberReviewDays'),
  settings.number('service_review_days', 'serviceReviewDays'),
  settings.number('group_review_days', 'groupReviewDays'),
  settings.number('token_expiry_mins', 'tokenExpiryMins'),
  settings.number('cert_expiry_mins', 'certExpiryMins'),
  settings.text('sign_algorithm', 'signAlgorithm'),
]

/** Columns of memberships in roles. */
export const ROLE_MEMBER_COLUMNS = [
  ...MEMBER_COLUMNS,
  member.time('review_reminder', 'reviewReminder'),
  member.time('review_last_notified_time', 'reviewLastNotifiedTime'),
  member.nullableText('review_server', 'reviewServer'),
]

/** Columns of requested memberships in roles. */
export const PENDING_ROLE_MEMBER_COLUMNS = [...PENDING_COLUMNS, pending.time('review_reminder', 'reviewReminder')]

/** The tables of roles. */
const rows = new CollectionRows<RoleBase, RoleMember, PendingRoleMember>({
  table: 'role',
  id: 'role_id',
  members: 'role_member',
  pending: 'pending_role_member',
  tags: 'role_tags',
  audit: 'role_audit_log',
  columns: ROLE_COLUMNS,
  memberColumns: ROLE_MEMBER_COLUMNS,
  pendingColumns: PENDING_ROLE_MEMBER_COLUMNS,
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
