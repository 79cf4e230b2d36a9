import { groupResourceName } from '#core/names/resource-name.ts'
import type { Group, GroupBase, GroupMember, MemberAudit } from '../store/model.ts'
import { auditLogReply, filled, pendingMemberReply } from './role-reply.ts'
import { compact, ownershipReply, tagsReply, timestamp } from './wire-form.ts'

/** All settings of a group as the API writes them. */
export function groupSettingsReply(group: GroupBase): Record<string, unknown> {
  return compact({
    ...partialGroupSettingsReply(group),
    notifyRoles: group.notifyRoles,
    userAuthorityFilter: group.userAuthorityFilter,
    userAuthorityExpiration: group.userAuthorityExpiration,
    deleteProtection: group.deleteProtection,
    selfRenew: group.selfRenew,
    selfRenewMins: group.selfRenewMins,
    maxMembers: group.maxMembers,
    resourceOwnership: ownershipReply(group.resourceOwnership),
    principalDomainFilter: group.principalDomainFilter,
    notifyDetails: group.notifyDetails,
  })
}

/** The settings that lists of groups show when members are not asked for. */
export function partialGroupSettingsReply(group: GroupBase): Record<string, unknown> {
  return compact({
    selfServe: group.selfServe,
    reviewEnabled: group.reviewEnabled,
    memberExpiryDays: group.memberExpiryDays,
    serviceExpiryDays: group.serviceExpiryDays,
    tags: tagsReply(group.tags),
    auditEnabled: group.auditEnabled,
    lastReviewedDate: timestamp(group.lastReviewedDate),
  })
}

/** Name and time: what every form of a group carries. */
export const groupIdentityReply = (domain: string, group: GroupBase): Record<string, unknown> => ({
  name: groupResourceName(domain, group.name),
  modified: timestamp(group.modified),
})

/** A member as a single group shows it. */
export function groupMemberReply(member: GroupMember): Record<string, unknown> {
  return compact({
    memberName: member.memberName,
    expiration: timestamp(member.expiration),
    approved: true,
    auditRef: member.auditRef,
    systemDisabled: member.systemDisabled,
  })
}

/** A member as lists of groups and signed domains show it. */
export function listedGroupMemberReply(domain: string, group: GroupBase, member: GroupMember): Record<string, unknown> {
  return compact({
    memberName: member.memberName,
    groupName: groupResourceName(domain, group.name),
    expiration: timestamp(member.expiration),
    systemDisabled: member.systemDisabled,
  })
}

/** A single group; lists that are empty are left out. */
export function groupReply(
  domain: string,
  group: Group,
  options: { pending?: boolean; auditLog?: readonly MemberAudit[] } = {},
): Record<string, unknown> {
  const members = [...group.members].map(groupMemberReply)
  if (options.pending) members.push(...[...group.pending.values()].map(pendingMemberReply))
  return compact({
    ...groupSettingsReply(group),
    ...groupIdentityReply(domain, group),
    groupMembers: filled(members),
    auditLog: filled(auditLogReply(options.auditLog ?? [])),
  })
}
