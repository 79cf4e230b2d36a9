import { groupResourceName, roleResourceName } from '#core/names/resource-name.ts'
import type { DomainChange } from '../store/change.ts'
import type { Domain, Group, MemberAudit, PendingRoleMember, Role, RoleBase, RoleMember } from '../store/model.ts'

/**
 * Roles and groups have members alike: what is done with members is written once, over this description of the kind.
 * A group has no review reminders, so those of the values given are left out of its changes.
 */
export interface CollectionKind {
  readonly kind: 'role' | 'group'
  /** Word at the beginning of messages. */
  readonly title: 'Role' | 'Group'
  /** The role or group of that local name. */
  find(domain: Domain, name: string): Role | Group | undefined
  fullName(domain: string, name: string): string
  put(domain: string, value: RoleBase): DomainChange
  putMember(domain: string, name: string, value: RoleMember): DomainChange
  deleteMember(domain: string, name: string, member: string): DomainChange
  putPending(domain: string, name: string, value: PendingRoleMember): DomainChange
  deletePending(domain: string, name: string, member: string): DomainChange
  addAudit(domain: string, name: string, value: MemberAudit): DomainChange
}

export const roleKind: CollectionKind = {
  kind: 'role',
  title: 'Role',
  find: (domain, name) => domain.roles.get(name),
  fullName: roleResourceName,
  put: (domain, value) => ({ kind: 'putRole', domain, value }),
  putMember: (domain, role, value) => ({ kind: 'putRoleMember', domain, role, value }),
  deleteMember: (domain, role, member) => ({ kind: 'deleteRoleMember', domain, role, member }),
  putPending: (domain, role, value) => ({ kind: 'putPendingRoleMember', domain, role, value }),
  deletePending: (domain, role, member) => ({ kind: 'deletePendingRoleMember', domain, role, member }),
  addAudit: (domain, role, value) => ({ kind: 'addRoleAudit', domain, role, value }),
}

export const groupKind: CollectionKind = {
  kind: 'group',
  title: 'Group',
  find: (domain, name) => domain.groups.get(name),
  fullName: groupResourceName,
  put: (domain, value) => ({ kind: 'putGroup', domain, value }),
  putMember: (domain, group, { reviewReminder: _, ...value }) => ({ kind: 'putGroupMember', domain, group, value }),
  deleteMember: (domain, group, member) => ({ kind: 'deleteGroupMember', domain, group, member }),
  putPending: (domain, group, { reviewReminder: _, ...value }) => ({
    kind: 'putPendingGroupMember',
    domain,
    group,
    value,
  }),
  deletePending: (domain, group, member) => ({ kind: 'deletePendingGroupMember', domain, group, member }),
  addAudit: (domain, group, value) => ({ kind: 'addGroupAudit', domain, group, value }),
}

/** Whether changes of members need a decision first. */
export const needsApproval = (collection: Pick<RoleBase, 'auditEnabled' | 'reviewEnabled'>): boolean =>
  collection.auditEnabled === true || collection.reviewEnabled === true

/** The settings of a role or group without what it holds. */
export function baseOf({ members: _, pending: __, ...base }: Role | Group): RoleBase {
  return base
}
