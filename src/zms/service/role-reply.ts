import type { PrincipalType } from '#core/names/principal-name.ts'
import { roleResourceName } from '#core/names/resource-name.ts'
import type { MemberAudit, PendingRoleMember, Role, RoleBase, RoleMember } from '../store/model.ts'
import { compact, ownershipReply, tagsReply, timestamp } from './wire-form.ts'

/** All settings of a role as the API writes them. */
export function roleSettingsReply(role: RoleBase): Record<string, unknown> {
  return compact({
    ...partialSettingsReply(role),
    notifyRoles: role.notifyRoles,
    userAuthorityFilter: role.userAuthorityFilter,
    userAuthorityExpiration: role.userAuthorityExpiration,
    selfRenew: role.selfRenew,
    selfRenewMins: role.selfRenewMins,
    maxMembers: role.maxMembers,
    resourceOwnership: ownershipReply(role.resourceOwnership),
    principalDomainFilter: role.principalDomainFilter,
    notifyDetails: role.notifyDetails,
  })
}

/** The settings that lists of roles show when members are not asked for. */
export function partialSettingsReply(role: RoleBase): Record<string, unknown> {
  return compact({
    selfServe: role.selfServe,
    memberExpiryDays: role.memberExpiryDays,
    tokenExpiryMins: role.tokenExpiryMins,
    certExpiryMins: role.certExpiryMins,
    signAlgorithm: role.signAlgorithm,
    serviceExpiryDays: role.serviceExpiryDays,
    memberReviewDays: role.memberReviewDays,
    serviceReviewDays: role.serviceReviewDays,
    reviewEnabled: role.reviewEnabled,
    groupExpiryDays: role.groupExpiryDays,
    groupReviewDays: role.groupReviewDays,
    tags: tagsReply(role.tags),
    description: role.description,
    auditEnabled: role.auditEnabled,
    deleteProtection: role.deleteProtection,
    lastReviewedDate: timestamp(role.lastReviewedDate),
  })
}

/** Name, time and trust: what every form of a role carries. */
export const roleIdentityReply = (domain: string, role: RoleBase): Record<string, unknown> =>
  compact({ name: roleResourceName(domain, role.name), modified: timestamp(role.modified), trust: role.trust })

/** A member as a single role shows it. */
export function roleMemberReply(member: RoleMember): Record<string, unknown> {
  return compact({
    memberName: member.memberName,
    expiration: timestamp(member.expiration),
    reviewReminder: timestamp(member.reviewReminder),
    approved: true,
    auditRef: member.auditRef,
    requestPrincipal: member.requestPrincipal,
    systemDisabled: member.systemDisabled,
  })
}

/** A pending member as a single role or group shows it. */
export function pendingMemberReply(member: PendingRoleMember): Record<string, unknown> {
  return compact({
    memberName: member.memberName,
    expiration: timestamp(member.expiration),
    reviewReminder: timestamp(member.reviewReminder),
    active: false,
    approved: false,
    auditRef: member.auditRef,
    requestTime: timestamp(member.requestTime),
    pendingState: member.pendingState,
  })
}

/** A member as lists of roles, expanded roles and signed domains show it. */
export function listedMemberReply(member: RoleMember, type: PrincipalType): Record<string, unknown> {
  return compact({
    memberName: member.memberName,
    expiration: timestamp(member.expiration),
    reviewReminder: timestamp(member.reviewReminder),
    requestPrincipal: member.requestPrincipal,
    systemDisabled: member.systemDisabled,
    principalType: type,
  })
}

/** The history of a role's or group's members as the API writes it. */
export function auditLogReply(entries: readonly MemberAudit[]): Record<string, unknown>[] {
  return entries.map(({ member, admin, created, action, auditRef }) =>
    compact({ member, admin, created: timestamp(created), action, auditRef }),
  )
}

/** What is asked for with a single role. */
export interface RoleDetails {
  pending?: boolean
  auditLog?: readonly MemberAudit[]
}

/** The details that a role has: a delegated one has no members of its own, so nothing is told of those it had. */
export const detailsOf = (role: RoleBase, asked: RoleDetails): RoleDetails => (role.trust ? {} : asked)

/** A single role; lists that are empty are left out. */
export function roleReply(domain: string, role: Role, options: RoleDetails = {}): Record<string, unknown> {
  const { pending, auditLog = [] } = detailsOf(role, options)
  const members = [...role.members].map(roleMemberReply)
  if (pending) members.push(...[...role.pending.values()].map(pendingMemberReply))
  return compact({
    ...roleSettingsReply(role),
    ...roleIdentityReply(domain, role),
    roleMembers: filled(members),
    auditLog: filled(auditLogReply(auditLog)),
  })
}

/** The list, or undefined when it is empty. */
export const filled = <T>(list: readonly T[]): readonly T[] | undefined => (list.length > 0 ? list : undefined)
