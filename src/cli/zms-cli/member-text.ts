import type { DomainGroupMember, DomainGroupMembers, GroupMembership } from '#zms/api/group-membership.ts'
import type { DomainRoleMember, DomainRoleMembers, Membership } from '#zms/api/role-membership.ts'
import { isDisabled } from './collection-text.ts'
import { fields, indented, item } from './lines.ts'
import { localName } from './names.ts'

/** Whether somebody is a member of a role, as the lines of a list item. */
export const membershipLines = (membership: Membership): string[] =>
  item([
    `member: ${membership.memberName}`,
    ...fields([
      ['expiration', membership.expiration],
      ['review', membership.reviewReminder],
      ['system-disabled', membership.systemDisabled || undefined],
    ]),
    `result: ${membership.isMember ?? true}`,
  ])

/** The same for a group. The expiration begins a list item of its own, as readers of the original's output expect. */
export function groupMembershipLines(membership: GroupMembership): string[] {
  const { memberName, expiration, systemDisabled, isMember = true } = membership
  const state = [...fields([['system-disabled', systemDisabled || undefined]]), `result: ${isMember}`]
  return expiration === undefined
    ? item([`member: ${memberName}`, ...state])
    : [...item([`member: ${memberName}`]), ...item([`expiration: ${expiration}`, ...state])]
}

/** Members of a domain with their roles or groups, as list items. */
export function memberItems(kind: 'role' | 'group', { members }: DomainRoleMembers | DomainGroupMembers): string[] {
  return (members ?? []).flatMap((member: DomainRoleMember | DomainGroupMember) =>
    item([`member: ${member.memberName}`, `${kind}s:`, ...indented(2, heldLines(kind, member))]),
  )
}

function heldLines(kind: 'role' | 'group', member: DomainRoleMember | DomainGroupMember): string[] {
  if ('memberRoles' in member) {
    return (member.memberRoles ?? []).map((held) => `- ${inOneLine(localName(held.roleName, kind), held)}`)
  }
  return (member.memberGroups ?? []).map((held) => `- ${inOneLine(localName(held.groupName ?? '', kind), held)}`)
}

interface Dates {
  readonly expiration?: string | undefined
  readonly reviewReminder?: string | undefined
}

const inOneLine = (name: string, { expiration, reviewReminder }: Dates): string =>
  [
    name,
    ...fields([
      ['expiration', expiration],
      ['review', reviewReminder],
    ]),
  ].join(' ')

/** The members of several domains, domain by domain. */
export function domainItems(
  kind: 'role' | 'group',
  domains: readonly (DomainRoleMembers | DomainGroupMembers)[],
): string[] {
  return domains.flatMap((domain) => [
    `  - name: ${domain.domainName}`,
    '    members:',
    ...indented(4, memberItems(kind, domain)),
  ])
}

/** The roles of somebody. */
export function principalRoleLines({ memberName, memberRoles }: DomainRoleMember): string[] {
  const roles = (memberRoles ?? []).flatMap((held) =>
    item([
      `name: ${held.roleName}`,
      `domain: ${held.domainName ?? ''}`,
      ...fields([
        ['expiration', held.expiration],
        ['review', held.reviewReminder],
        ['system-disabled', isDisabled(held.systemDisabled) || undefined],
        ['member-name', held.memberName],
        ['trust-role-name', held.trustRoleName],
      ]),
    ]),
  )
  return [`member: ${memberName}`, 'roles:', ...indented(4, roles)]
}

/** The groups of somebody. */
export function principalGroupLines({ memberName, memberGroups }: DomainGroupMember): string[] {
  const groups = (memberGroups ?? []).flatMap((held) =>
    item([
      `name: ${held.groupName ?? ''}`,
      `domain: ${held.domainName ?? ''}`,
      ...fields([
        ['expiration', held.expiration],
        ['system-disabled', isDisabled(held.systemDisabled) || undefined],
      ]),
    ]),
  )
  return [`member: ${memberName}`, 'groups:', ...indented(4, groups)]
}
