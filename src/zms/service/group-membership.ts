import { badRequest, notFound } from '#core/error/service-error.ts'
import { type Handlers, noContent, ok } from '#core/http/endpoint.ts'
import { parseTimestamp } from '#core/http/wire.ts'
import type { groupMembershipEndpoints } from '../api/group-membership.ts'
import { groupKind } from './collection.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { domainGroupMembers } from './domain-members.ts'
import {
  datesOfRequest,
  decideMember,
  deleteMember,
  deletePendingMember,
  findMember,
  type MembershipPlace,
  putMember,
} from './membership.ts'
import { membershipReply } from './membership-reply.ts'
import { pendingMembers } from './pending-members.ts'
import { storedMemberName } from './principal-domains.ts'

/** Memberships in groups; the groups of a principal are looked up elsewhere. */
export function groupMembershipService(
  deps: ZmsDependencies,
): Omit<Handlers<typeof groupMembershipEndpoints>, 'getPrincipalGroups'> {
  const { store, now } = deps
  const placeOf = ({ domainName, groupName, memberName }: GroupMember): MembershipPlace => ({
    domainName,
    name: groupName,
    memberName: storedMemberName(deps.config, memberName),
  })
  return {
    async getGroupMembership({ params, query }) {
      const place = placeOf(params)
      const expiration = query.expiration === undefined ? undefined : parseTimestamp(query.expiration)
      const found = findMember(await store.domain(params.domainName), groupKind, place, expiration)
      return ok(membershipReply(groupKind, place, found, now(), 'read'))
    },

    async putGroupMembership({ params, body, headers }, context) {
      requireSameNames('putGroupMembership', body, params)
      const place = placeOf(params)
      const stored = await putMember(deps, context, groupKind, { ...place, dates: datesOfRequest(body), ...headers })
      return headers.returnObj ? ok(membershipReply(groupKind, place, stored, now(), 'written')) : noContent
    },

    async deleteGroupMembership({ params, headers }, context) {
      await deleteMember(deps, context, groupKind, { ...placeOf(params), ...headers })
      return noContent
    },

    async deletePendingGroupMembership({ params, headers }, context) {
      await deletePendingMember(deps, context, groupKind, { ...placeOf(params), ...headers })
      return noContent
    },

    async putGroupMembershipDecision({ params, body, headers }, context) {
      requireSameNames('putGroupMembershipDecision', body, params)
      const decision = { approved: body.approved ?? true, dates: datesOfRequest(body), ...headers }
      await decideMember(deps, context, groupKind, { ...placeOf(params), ...decision })
      return noContent
    },

    async getDomainGroupMembers({ params }) {
      const domain = await store.domain(params.domainName)
      if (!domain) throw notFound(`unknown domain - ${params.domainName}`)
      const members = domainGroupMembers(domain)
      // The original answers null, not an empty list.
      return ok({ domainName: domain.name, members: members.length > 0 ? members : null })
    },

    async getPendingDomainGroupMembersList({ query }, context) {
      return ok({ domainGroupMembersList: await pendingMembers(deps, context, groupKind, query) })
    },
  }
}

/** What the path of a request names. */
interface GroupMember {
  readonly domainName: string
  readonly groupName: string
  readonly memberName: string
}

function requireSameNames(
  label: string,
  body: { memberName: string; groupName?: string | undefined },
  { memberName, groupName }: GroupMember,
): void {
  if (body.memberName !== memberName) {
    throw badRequest(`${label}: Member name in URI and GroupMembership object do not match`)
  }
  if (body.groupName !== undefined && body.groupName !== groupName) {
    throw badRequest(`${label}: Group name in URI and GroupMembership object do not match`)
  }
}
