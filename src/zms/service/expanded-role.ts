import { splitResourceName } from '#core/names/resource-name.ts'
import type { Domain, MemberAudit, Role, RoleMember } from '../store/model.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { assumedRoles } from './role-delegation.ts'
import {
  auditLogReply,
  filled,
  listedMemberReply,
  pendingMemberReply,
  roleIdentityReply,
  roleMemberReply,
  roleSettingsReply,
} from './role-reply.ts'
import { compact } from './wire-form.ts'

/**
 * A role as it is answered with `expand`: the members of a delegated role are those of the trusted domain's roles that
 * may assume it; groups are replaced by their members, whose membership ends with the earlier of both dates.
 */
export async function expandRole(
  deps: ZmsDependencies,
  domain: Domain,
  role: Role,
  options: { pending: boolean; auditLog: readonly MemberAudit[] },
): Promise<Record<string, unknown>> {
  const members = role.trust
    ? (await trustedMembers(deps, domain, role)).map((member) =>
        listedMemberReply(member, deps.memberRules.typeOf(member.memberName)),
      )
    : (await withoutGroups(deps, [...role.members])).map(roleMemberReply)
  if (options.pending) members.push(...[...role.pending.values()].map(pendingMemberReply))
  return compact({
    ...roleSettingsReply(role),
    ...roleIdentityReply(domain.name, role),
    roleMembers: filled(members),
    auditLog: filled(auditLogReply(options.auditLog)),
  })
}

/** Members of the roles that assume a delegated role, each once. */
async function trustedMembers(deps: ZmsDependencies, domain: Domain, role: Role): Promise<RoleMember[]> {
  const trusted = await deps.store.domain(role.trust as string)
  if (!trusted) return []
  const found = new Map<string, RoleMember>()
  for (const assumed of assumedRoles(trusted, domain.name, role.name)) {
    for (const member of await withoutGroups(deps, [...assumed.members])) {
      if (!found.has(member.memberName)) found.set(member.memberName, member)
    }
  }
  return [...found.values()]
}

/** The members with the members of groups in place of the groups, each name once. */
async function withoutGroups(deps: ZmsDependencies, members: readonly RoleMember[]): Promise<RoleMember[]> {
  const found = new Map<string, RoleMember>()
  const add = (member: RoleMember) => {
    if (!found.has(member.memberName)) found.set(member.memberName, member)
  }
  const groups = members.flatMap((member) => {
    const parts = splitResourceName('group', member.memberName)
    return parts ? [{ member, ...parts }] : []
  })
  const domains = await deps.store.domains([...new Set(groups.map(({ domain }) => domain))])
  for (const member of members) if (!splitResourceName('group', member.memberName)) add(member)
  for (const { member, domain, name } of groups) {
    for (const person of domains.get(domain)?.groups.get(name)?.members ?? []) {
      const expiration = earlier(member.expiration, person.expiration)
      add({ ...person, ...(expiration !== undefined && { expiration }) })
    }
  }
  return [...found.values()]
}

const earlier = (a: number | undefined, b: number | undefined) =>
  a === undefined || b === undefined ? (a ?? b) : Math.min(a, b)
