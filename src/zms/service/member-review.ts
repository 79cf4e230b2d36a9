import { badRequest, forbidden, notFound } from '#core/error/service-error.ts'
import type { RequestContext } from '#core/http/endpoint.ts'
import type { Group, ResourceOwnership, Role, RoleMember } from '../store/model.ts'
import { baseOf, type CollectionKind, needsApproval } from './collection.ts'
import { memberCollection, requestedMembers, requireSamePendingState } from './collection-write.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { mayUpdateMembers } from './member-access.ts'
import { MemberChanges } from './member-changes.ts'
import { type MemberDates, type MemberDays, memberDays, wholeSeconds } from './member-dates.ts'
import { compact } from './wire-form.ts'

/** A review of the members of a role or group. */
export interface ReviewRequest {
  readonly domainName: string
  /** Local name of the role or group. */
  readonly name: string
  /** Members that the reviewer decided about; `active` false removes. */
  readonly members: readonly {
    memberName?: string | undefined
    active?: boolean | undefined
    expiration?: number | undefined
    reviewReminder?: number | undefined
  }[]
  /** Others are decided about later: the role or group is not reviewed yet. */
  readonly partial: boolean
  readonly auditRef: string | undefined
  readonly resourceOwner: string | undefined
}

/**
 * Carries out a review: removes the members that the reviewer struck out, gives the others new dates where there are
 * days for members of their kind, and notes when it was reviewed, unless this is a part of a review that goes on. Where changes need
 * approval, they become requests. Resolves to the owners before the review.
 */
export async function reviewCollection(
  deps: ZmsDependencies,
  context: RequestContext,
  kind: CollectionKind,
  { domainName, name, members, partial, auditRef, resourceOwner }: ReviewRequest,
): Promise<ResourceOwnership | undefined> {
  const subject = { context, domains: [domainName], entity: name, auditRef, method: 'REVIEW' }
  const struckOut = members.filter(({ active }) => active === false)
  const removals = new Set(requestedMembers(deps, struckOut).map((member) => member.name))
  const requested = requestedMembers(deps, members)
  return deps.writes.commit(subject, async (transaction) => {
    const domain = await transaction.domain(domainName)
    if (!domain) throw notFound(`No such domain: ${domainName}`)
    const collection = kind.find(domain, name)
    if (!collection) throw notFound(`No such ${kind.kind}: ${name}`)
    if ('trust' in collection && collection.trust) {
      throw badRequest(`${context.api}: role ${name} is delegated. Review should happen on the trusted role.`)
    }
    if (!(await mayUpdateMembers(deps, context, kind, domain, name))) {
      throw forbidden(`principal is not authorized to review ${kind.kind} members`)
    }
    const { resourceOwnership: stored } = collection
    const fullName = kind.fullName(domainName, name)
    const ownership = collection.selfServe
      ? undefined
      : deps.ownership.componentWrite(kind.kind, fullName, stored, 'members', 'member', resourceOwner)
    deps.writes.requireAuditReference(context, kind.kind, domain, auditRef, collection)
    const caller = context.principal?.fullName ?? ''
    const changes = new MemberChanges(kind, domainName, name, { principal: caller, auditRef, now: transaction.now })
    const days = memberDays(collection, domain)
    const approval = needsApproval(collection)
    const judged = memberCollection(deps, kind, domain, collection)
    for (const { name: memberName, dates } of requested) {
      const current = collection.members.get(memberName)
      if (!removals.has(memberName)) await deps.memberRules.check(transaction, judged, memberName, { suspended: true })
      if (!current) continue
      if (removals.has(memberName)) {
        if (approval && collection.deleteProtection) {
          requireSamePendingState(collection, memberName, 'DELETE')
          transaction.apply(...changes.request(memberName, {}, 'DELETE'))
        } else {
          transaction.apply(...changes.remove(memberName))
        }
        continue
      }
      const next = await extended(deps, kind, collection, current, dates, days, transaction.now)
      if (approval) {
        if (!next) continue
        requireSamePendingState(collection, memberName, 'ADD')
        transaction.apply(...changes.request(memberName, next, 'ADD'))
      } else {
        // Who stays is noted as reviewed, with new dates or not.
        const put = changes.put(memberName, next ?? datesOf(current), 'UPDATE', current.requestPrincipal, current)
        transaction.apply(...put)
      }
    }
    const owned = { ...baseOf(collection), ...(ownership && { resourceOwnership: ownership }) }
    if (!partial) {
      transaction.apply(kind.put(domainName, { ...owned, lastReviewedDate: wholeSeconds(transaction.now) }))
    } else if (ownership) {
      transaction.apply(kind.put(domainName, owned))
    }
    return stored
  })
}

/**
 * The dates of a member after a review: those without a limit for this kind of member stay as they are. Undefined where
 * neither has one.
 */
async function extended(
  deps: ZmsDependencies,
  kind: CollectionKind,
  collection: Role | Group,
  current: RoleMember,
  requested: MemberDates,
  days: MemberDays,
  now: number,
): Promise<MemberDates | undefined> {
  const member = { name: current.memberName, type: deps.memberRules.typeOf(current.memberName) }
  const limits = deps.memberDates.limits(member.type, days)
  const reviews = kind.kind === 'role' && limits.reviewReminder
  if (!limits.expiration && !reviews) return undefined
  const attribute = limits.expiration ? collection.userAuthorityExpiration : undefined
  const dates = await deps.memberDates.dates(member, requested, days, now, attribute, 'refuseList')
  const { expiration } = limits.expiration ? dates : current
  const { reviewReminder } = reviews ? dates : current
  return datesOf({ expiration, reviewReminder })
}

const datesOf = ({ expiration, reviewReminder }: MemberDates): MemberDates => compact({ expiration, reviewReminder })
