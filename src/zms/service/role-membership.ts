import { badRequest, forbidden, notFound } from '#core/error/service-error.ts'
import { type Handlers, noContent, ok } from '#core/http/endpoint.ts'
import { parseTimestamp } from '#core/http/wire.ts'
import type { roleMembershipEndpoints } from '../api/role-membership.ts'
import { roleKind } from './collection.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { domainRoleMembers } from './domain-members.ts'
import { MemberChanges } from './member-changes.ts'
import {
  datesOfRequest,
  decideMember,
  deleteMember,
  deletePendingMember,
  findMember,
  type MembershipPlace,
  putMember,
  requireKnownPrincipal,
} from './membership.ts'
import { membershipReply } from './membership-reply.ts'
import { pendingMembers } from './pending-members.ts'
import { storedMemberName } from './principal-domains.ts'

/** Memberships in roles; the roles of a principal are looked up elsewhere. */
export function roleMembershipService(
  deps: ZmsDependencies,
): Omit<Handlers<typeof roleMembershipEndpoints>, 'getPrincipalRoles'> {
  const { store, writes, now } = deps
  const placeOf = ({ domainName, roleName, memberName }: RoleMember): MembershipPlace => ({
    domainName,
    name: roleName,
    memberName: storedMemberName(deps.config, memberName),
  })
  return {
    async getMembership({ params, query }) {
      const place = placeOf(params)
      const expiration = query.expiration === undefined ? undefined : parseTimestamp(query.expiration)
      const found = findMember(await store.domain(params.domainName), roleKind, place, expiration)
      return ok(membershipReply(roleKind, place, found, now(), 'read'))
    },

    async putMembership({ params, body, headers }, context) {
      requireSameNames('putMembership', body, params)
      const place = placeOf(params)
      const stored = await putMember(deps, context, roleKind, { ...place, dates: datesOfRequest(body), ...headers })
      return headers.returnObj ? ok(membershipReply(roleKind, place, stored, now(), 'written')) : noContent
    },

    async deleteMembership({ params, headers }, context) {
      await deleteMember(deps, context, roleKind, { ...placeOf(params), ...headers })
      return noContent
    },

    async deletePendingMembership({ params, headers }, context) {
      await deletePendingMember(deps, context, roleKind, { ...placeOf(params), ...headers })
      return noContent
    },

    async putMembershipDecision({ params, body, headers }, context) {
      requireSameNames('putMembershipDecision', body, params)
      const decision = { approved: body.approved ?? true, dates: datesOfRequest(body), ...headers }
      await decideMember(deps, context, roleKind, { ...placeOf(params), ...decision })
      return noContent
    },

    async getOverdueReview({ params }) {
      const domain = await store.domain(params.domainName)
      if (!domain) throw notFound(`unknown domain - ${params.domainName}`)
      const time = now()
      const members = domainRoleMembers(domain, (member) => (member.reviewReminder ?? time) < time)
      // The original answers null, not an empty list.
      return ok({ domainName: domain.name, members: members.length > 0 ? members : null })
    },

    async getDomainRoleMembers({ params }) {
      const domain = await store.domain(params.domainName)
      if (!domain) throw notFound(`unknown domain - ${params.domainName}`)
      return ok({ domainName: domain.name, members: domainRoleMembers(domain) })
    },

    async deleteDomainRoleMember({ params, headers }, context) {
      const { domainName } = params
      const memberName = storedMemberName(deps.config, params.memberName)
      const { auditRef } = headers
      deps.authorizedServices.check(context)
      await writes.commit({ context, domains: [domainName], entity: memberName, auditRef }, async (transaction) => {
        const domain = await transaction.domain(domainName)
        if (!domain) throw notFound(`${context.api}: Unknown domain: ${domainName}`)
        writes.requireAuditReference(context, 'role', domain, auditRef)
        await requireKnownPrincipal(transaction, memberName)
        const actor = { principal: context.principal?.fullName ?? '', auditRef, now: transaction.now }
        for (const role of domain.roles.values()) {
          if (!role.members.has(memberName)) continue
          if (role.name === 'admin' && role.members.size === 1) {
            throw forbidden("deleteDomainRoleMember: Cannot delete last member of 'admin' role")
          }
          transaction.apply(...new MemberChanges(roleKind, domainName, role.name, actor).remove(memberName))
        }
      })
      return noContent
    },

    async getPendingDomainRoleMembersList({ query }, context) {
      return ok({ domainRoleMembersList: await pendingMembers(deps, context, roleKind, query) })
    },
  }
}

/** What the path of a request names. */
interface RoleMember {
  readonly domainName: string
  readonly roleName: string
  readonly memberName: string
}

function requireSameNames(
  label: string,
  body: { memberName: string; roleName?: string | undefined },
  { memberName, roleName }: RoleMember,
): void {
  if (body.memberName !== memberName) {
    throw badRequest(`${label}: Member name in URI and Membership object do not match`)
  }
  if (body.roleName !== undefined && body.roleName !== roleName) {
    throw badRequest(`${label}: Role name in URI and Membership object do not match`)
  }
}
