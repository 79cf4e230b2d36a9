import { notFound } from '#core/error/service-error.ts'
import { type Handlers, ok } from '#core/http/endpoint.ts'
import type {
  collectionSearchEndpoints,
  GroupMembersPage,
  GroupSummaries,
  GroupSummary,
  RoleMembersPage,
  RoleSummaries,
  RoleSummary,
} from '../api/collection-search.ts'
import type { Domain, Group, Role } from '../store/model.ts'
import { type CollectionKind, groupKind, roleKind } from './collection.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { groupIdentityReply, groupSettingsReply } from './group-reply.ts'
import { namedPage, type PageQuery, pageLimit } from './keyset-page.ts'
import { memberHistory } from './member-history.ts'
import { expandedMembers, type MemberQuery, memberCounts, memberFilter, ownMembers } from './member-page.ts'
import { reviewDueAt } from './review.ts'
import { roleIdentityReply, roleSettingsReply } from './role-reply.ts'
import { compact, timestamp } from './wire-form.ts'

/** Roles, groups and their members, a part at a time. */
export function collectionSearchService(deps: ZmsDependencies): Handlers<typeof collectionSearchEndpoints> {
  const { store } = deps
  return {
    async searchRoles({ params, query }) {
      const limit = pageLimit('searchRoles', query.limit)
      const domain = await knownDomain('searchRoles', params.domainName)
      const { entries, ...part } = namedPage(domain.roles.values(), { ...query, limit })
      return ok(compact<RoleSummaries>({ list: entries.map((role) => roleSummary(deps, domain, role)), ...part }))
    },

    async searchRoleMembers({ params, query: { expand, ...query } }) {
      const asked = memberQuery('searchRoleMembers', query)
      const domain = await knownDomain('searchRoleMembers', params.domainName)
      const role = domain.roles.get(params.roleName)
      if (!role) throw missing('searchRoleMembers', roleKind, params.domainName, params.roleName)
      const page = expand ? await expandedMembers(deps, domain, role, asked) : ownMembers(deps, role, asked)
      return ok(compact<RoleMembersPage>({ role: roleSummary(deps, domain, role), ...page }))
    },

    async getRoleMemberHistory({ params, query }) {
      const { domainName, roleName } = params
      const domain = await knownDomain('getRoleMemberHistory', domainName)
      if (!domain.roles.has(roleName)) throw missing('getRoleMemberHistory', roleKind, domainName, roleName)
      const place = { domain: domainName, kind: 'role', collection: roleName } as const
      return ok(await memberHistory('getRoleMemberHistory', store, place, query))
    },

    async searchGroups({ params, query }) {
      const limit = pageLimit('searchGroups', query.limit)
      const domain = await knownDomain('searchGroups', params.domainName)
      const { entries, ...part } = namedPage(domain.groups.values(), { ...query, limit })
      return ok(compact<GroupSummaries>({ list: entries.map((group) => groupSummary(deps, domain, group)), ...part }))
    },

    async searchGroupMembers({ params, query }) {
      const asked = memberQuery('searchGroupMembers', query)
      const domain = await knownDomain('searchGroupMembers', params.domainName)
      const group = domain.groups.get(params.groupName)
      if (!group) throw missing('searchGroupMembers', groupKind, params.domainName, params.groupName)
      const page = ownMembers(deps, group, asked)
      return ok(compact<GroupMembersPage>({ group: groupSummary(deps, domain, group), ...page }))
    },

    async getGroupMemberHistory({ params, query }) {
      const { domainName, groupName } = params
      const domain = await knownDomain('getGroupMemberHistory', domainName)
      if (!domain.groups.has(groupName)) throw missing('getGroupMemberHistory', groupKind, domainName, groupName)
      const place = { domain: domainName, kind: 'group', collection: groupName } as const
      return ok(await memberHistory('getGroupMemberHistory', store, place, query))
    },
  }

  async function knownDomain(api: string, name: string): Promise<Domain> {
    const domain = await store.domain(name)
    if (!domain) throw notFound(`${api}: Domain not found: '${name}'`)
    return domain
  }
}

const memberQuery = (
  api: string,
  query: Omit<MemberQuery, 'limit' | 'state'> & PageQuery & { readonly state?: string | undefined },
): MemberQuery => ({ ...query, limit: pageLimit(api, query.limit), state: memberFilter(api, query.state) })

const missing = (api: string, kind: CollectionKind, domain: string, name: string) =>
  notFound(`${api}: ${kind.title} not found: '${kind.fullName(domain, name)}'`)

const roleSummary = (deps: ZmsDependencies, domain: Domain, role: Role) =>
  ({
    ...roleSettingsReply(role),
    ...roleIdentityReply(domain.name, role),
    ...countsOf(deps, role),
  }) as RoleSummary

const groupSummary = (deps: ZmsDependencies, domain: Domain, group: Group) =>
  ({
    ...groupSettingsReply(group),
    ...groupIdentityReply(domain.name, group),
    ...countsOf(deps, group),
  }) as GroupSummary

const countsOf = (deps: ZmsDependencies, collection: Role | Group) =>
  compact({
    created: timestamp(collection.created),
    // A delegated role has no members of its own to be reviewed.
    reviewDue: 'trust' in collection ? undefined : timestamp(reviewDueAt(deps, collection)),
    memberCounts: memberCounts(collection, deps.now()),
  })
