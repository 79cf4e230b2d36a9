import type { DomainView } from '#core/rbac/domain-view.ts'
import type { MemberEntry, MembersView } from '#core/rbac/members.ts'
import type { Policy } from '../../core/rbac/decision-world.ts'
import type { DomainJson } from '../../support/zts-domains.ts'

const memberJson = ({ memberName, expiration, systemDisabled }: MemberEntry) => ({
  memberName,
  ...(expiration !== undefined && { expiration: new Date(expiration).toISOString() }),
  ...(systemDisabled !== undefined && { systemDisabled }),
})

const membersJson = (members: MembersView) => [...(members as unknown as Iterable<MemberEntry>)].map(memberJson)

/** A domain of a world as ZMS sends it. */
export const sentDomain = ({ name, enabled, roles, groups, policies }: DomainView<Policy>): DomainJson => ({
  name,
  enabled,
  roles: [...roles].map(([role, { trust, members }]) => ({
    name: `${name}:role.${role}`,
    ...(trust !== undefined && { trust }),
    roleMembers: membersJson(members),
  })),
  groups: [...groups].map(([group, { members }]) => ({
    name: `${name}:group.${group}`,
    groupMembers: membersJson(members),
  })),
  policies: [{ name: `${name}:policy.all`, assertions: policies.assertions.map(({ assertion }) => assertion) }],
})
