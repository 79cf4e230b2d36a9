import type { GroupBase, GroupMember, PendingGroupMember } from '../model.ts'
import { CollectionRows } from './collection.ts'
import { MEMBER_COLUMNS, PENDING_COLUMNS, SETTING_COLUMNS } from './collection-columns.ts'
import type { Run, WriteScope } from './scope.ts'

/** The tables of groups. */
const rows = new CollectionRows<GroupBase, GroupMember, PendingGroupMember>({
  table: 'principal_group',
  id: 'group_id',
  members: 'principal_group_member',
  pending: 'pending_principal_group_member',
  tags: 'group_tags',
  audit: 'principal_group_audit_log',
  columns: SETTING_COLUMNS,
  memberColumns: MEMBER_COLUMNS,
  pendingColumns: PENDING_COLUMNS,
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
