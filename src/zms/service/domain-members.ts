import type { Domain, Role, RoleMember } from '../store/model.ts'
import { compact, timestamp } from './wire-form.ts'

/** The principals that are members of roles of a domain, each with its roles. */
export function domainRoleMembers(
  domain: Domain,
  includes: (member: RoleMember) => boolean = () => true,
): { memberName: string; memberRoles: Record<string, unknown>[] }[] {
  const found = new Map<string, Record<string, unknown>[]>()
  for (const role of domain.roles.values()) {
    for (const member of role.members) if (includes(member)) push(found, member.memberName, memberRole(role, member))
  }
  return [...found].map(([memberName, memberRoles]) => ({ memberName, memberRoles }))
}

const memberRole = (role: Role, member: RoleMember) =>
  compact({
    roleName: role.name,
    expiration: timestamp(member.expiration),
    reviewReminder: timestamp(member.reviewReminder),
    requestPrincipal: member.requestPrincipal,
    systemDisabled: member.systemDisabled,
  })

/** The principals that are members of groups of a domain, each with its groups. */
export function domainGroupMembers(domain: Domain): { memberName: string; memberGroups: Record<string, unknown>[] }[] {
  const found = new Map<string, Record<string, unknown>[]>()
  for (const group of domain.groups.values()) {
    for (const member of group.members) {
      push(
        found,
        member.memberName,
        compact({
          groupName: group.name,
          expiration: timestamp(member.expiration),
          systemDisabled: member.systemDisabled,
        }),
      )
    }
  }
  return [...found].map(([memberName, memberGroups]) => ({ memberName, memberGroups }))
}

function push<T>(lists: Map<string, T[]>, key: string, value: T): void {
  const list = lists.get(key)
  if (list) list.push(value)
  else lists.set(key, [value])
}
