import type { Domain, Role, RoleMember } from '../store/model.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { assumedRoles } from './role-delegation.ts'
import {
  auditLogReply,
  detailsOf,
  filled,
  listedMemberReply,
  pendingMemberReply,
  type RoleDetails,
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
  options: RoleDetails,
): Promise<Record<string, unknown>> {
  const members = role.trust
    ? (await trustedMembers(deps, domain, role)).map((member) =>
        listedMemberReply(member, deps.memberRules.typeOf(member.memberName)),
      )
    : (await withoutGroups(deps, role)).map(roleMemberReply)
  const { pending, auditLog = [] } = detailsOf(role, options)
  if (pending) members.push(...[...role.pending.values()].map(pendingMemberReply))
  return compact({
    ...roleSettingsReply(role),
    ...roleIdentityReply(domain.name, role),
    roleMembers: filled(members),
    auditLog: filled(auditLogReply(auditLog)),
  })
}

/** Members of the roles that assume a delegated role, each once; groups stay groups. */
async function trustedMembers(deps: ZmsDependencies, domain: Domain, role: Role): Promise<RoleMember[]> {
  const trusted = await deps.store.domain(role.trust as string)
  if (!trusted) return []
  const found = new Map<string, RoleMember>()
  for (const assumed of assumedRoles(trusted, domain.name, role.name)) {
    for (const member of assumed.members) if (!found.has(member.memberName)) found.set(member.memberName, member)
  }
  return [...found.values()]
}

/** The members, with the members of groups in place of the groups; one who is in several ways is listed several times. */
async function withoutGroups(deps: ZmsDependencies, role: Role): Promise<RoleMember[]> {
  const domains = await deps.store.domains([...new Set(role.members.groups.map(({ domain }) => domain))])
  const groups = new Map(role.members.groups.map((reference) => [reference.entry.memberName, reference]))
  return [...role.members].flatMap((member) => {
    const reference = groups.get(member.memberName)
    if (!reference) return [member]
    const group = domains.get(reference.domain)?.groups.get(reference.group)
    return [...(group?.members ?? [])].map(({ requestPrincipal: _, ...person }) => {
      const expiration = earlier(member.expiration, person.expiration)
      return { ...person, ...(expiration !== undefined && { expiration }) }
    })
  })
}

const earlier = (a: number | undefined, b: number | undefined) =>
  a === undefined || b === undefined ? (a ?? b) : Math.min(a, b)
