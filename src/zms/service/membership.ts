import { badRequest, forbidden, notFound } from '#core/error/service-error.ts'
import type { RequestContext } from '#core/http/endpoint.ts'
import type { Domain, Group, PendingRoleMember, Role, RoleMember } from '../store/model.ts'
import type { Transaction } from '../store/store.ts'
import { type CollectionKind, needsApproval } from './collection.ts'
import { memberCollection, requireSamePendingState, standingOf } from './collection-write.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { mayApproveAudited, mayUpdateMembers } from './member-access.ts'
import { MemberChanges } from './member-changes.ts'
import { type MemberDates, memberDays, wholeSeconds } from './member-dates.ts'

/** The place a request about one membership names. */
export interface MembershipPlace {
  readonly domainName: string
  /** Local name of the role or group. */
  readonly name: string
  /** As it is stored. */
  readonly memberName: string
}

/** A write of one membership. */
export interface MembershipWrite extends MembershipPlace {
  readonly dates: MemberDates
  readonly auditRef: string | undefined
  readonly resourceOwner: string | undefined
}

/** Words that differ between the kinds. */
const WORDS = {
  role: {
    put: 'putMembership',
    missing: 'Invalid role name specified',
    decisionMissing: 'Invalid rolename specified',
    remove: 'deleteMembership',
    removePending: 'deletePendingMembership',
  },
  group: {
    put: 'putGroupMembership',
    missing: 'Invalid groupname specified',
    decisionMissing: 'Invalid groupname specified',
    remove: 'deleteGroupMembership',
    removePending: 'deletePendingGroupMembership',
  },
} as const

/** How a membership comes about. */
type Entry = 'direct' | 'renewal' | 'request'

/**
 * Adds a member, changes its dates, or asks for either where a decision is needed. Resolves to what is stored now: the
 * membership or the request.
 */
export async function putMember(
  deps: ZmsDependencies,
  context: RequestContext,
  kind: CollectionKind,
  write: MembershipWrite,
): Promise<{ member?: RoleMember; pending?: PendingRoleMember }> {
  const { domainName, name, memberName, auditRef } = write
  deps.authorizedServices.check(context, kind.kind, name)
  const subject = { context, domains: [domainName], entity: name, auditRef }
  return deps.writes.commit(subject, async (transaction) => {
    const domain = await transaction.domain(domainName)
    const collection = domain && kind.find(domain, name)
    if (!domain || !collection) throw badRequest(WORDS[kind.kind].missing)
    const ownership = collection.selfServe
      ? undefined
      : deps.ownership.componentWrite(
          kind.kind,
          kind.fullName(domainName, name),
          collection.resourceOwnership,
          'members',
          'member',
          write.resourceOwner,
        )
    const current = collection.members.get(memberName)
    const judged = memberCollection(deps, kind, domain, collection)
    await deps.memberRules.check(transaction, judged, memberName, standingOf(current))
    const entry = await entryOf(deps, context, kind, domain, collection, memberName)
    deps.writes.requireAuditReference(context, kind.kind, domain, auditRef, collection)
    requireOwnMembers(context, collection)
    const dates = await datesOf(deps, transaction, kind, domain, collection, memberName, write.dates, entry)
    // A request that is there already only changes.
    const isNew = !current && !(entry === 'request' && collection.pending.has(memberName))
    if (isNew) deps.quotas.requireRoomForMember(kind.kind, domain, collection.maxMembers, collection.members.size)
    const caller = context.principal?.fullName ?? ''
    const changes = new MemberChanges(kind, domainName, name, { principal: caller, auditRef, now: transaction.now })
    if (entry === 'request') {
      requireSamePendingState(collection, memberName, 'ADD')
      transaction.apply(...changes.request(memberName, dates, 'ADD'))
    } else {
      transaction.apply(...changes.put(memberName, dates, current ? 'UPDATE' : 'ADD', caller, current))
    }
    if (ownership) putOwnership(transaction, kind, domain, collection, ownership)
    return resultOf((await transaction.domain(domainName)) as Domain, kind, name, memberName, entry)
  })
}

function resultOf(domain: Domain, kind: CollectionKind, name: string, memberName: string, entry: Entry) {
  const collection = kind.find(domain, name)
  if (entry === 'request') return { pending: collection?.pending.get(memberName) as PendingRoleMember }
  return { member: collection?.members.get(memberName) as RoleMember }
}

/** 400 for a delegated role: its members are those of other roles. */
function requireOwnMembers(context: RequestContext, collection: Role | Group): void {
  if ('trust' in collection && collection.trust)
    throw badRequest(`${context.api}: ${collection.name} is a delegated role`)
}

/** How the caller may bring the member in; 403 when not at all. */
async function entryOf(
  deps: ZmsDependencies,
  context: RequestContext,
  kind: CollectionKind,
  domain: Domain,
  collection: Role | Group,
  memberName: string,
): Promise<Entry> {
  if (await mayUpdateMembers(deps, context, kind, domain, collection.name)) {
    return needsApproval(collection) ? 'request' : 'direct'
  }
  const renews = collection.selfRenew && (collection.selfRenewMins ?? 0) > 0
  if (renews && context.principal?.fullName === memberName && collection.members.has(memberName)) return 'renewal'
  if (collection.selfServe) return 'request'
  throw forbidden(`${WORDS[kind.kind].put}: principal is not authorized to add members`)
}

const MINUTE_MILLIS = 60_000

async function datesOf(
  deps: ZmsDependencies,
  transaction: Transaction,
  kind: CollectionKind,
  domain: Domain,
  collection: Role | Group,
  memberName: string,
  requested: MemberDates,
  entry: Entry,
): Promise<MemberDates> {
  const { now } = transaction
  const limit = now + (collection.selfRenewMins ?? 0) * MINUTE_MILLIS
  const wanted =
    entry === 'renewal' && (requested.expiration === undefined || requested.expiration > limit)
      ? { ...requested, expiration: limit }
      : requested
  const member = { name: memberName, type: deps.memberRules.typeOf(memberName) }
  const days = memberDays(collection, domain)
  const dates = await deps.memberDates.dates(member, wanted, days, now, collection.userAuthorityExpiration)
  if (kind.kind === 'group') delete dates.reviewReminder
  return dates
}

/** Stores who owns the members from now on. */
function putOwnership(
  transaction: Transaction,
  kind: CollectionKind,
  domain: Domain,
  collection: Role | Group,
  resourceOwnership: NonNullable<Role['resourceOwnership']>,
): void {
  const { members: _, pending: __, ...base } = collection
  transaction.apply(kind.put(domain.name, { ...base, resourceOwnership }))
}

/** 404 for a principal that was never a member of anything. */
export async function requireKnownPrincipal({ queries }: Transaction, name: string): Promise<void> {
  if ((await queries.principal(name)) === undefined) throw notFound(`unknown principal - ${name}`)
}

/** Removes a member, or asks for its removal under delete protection. */
export async function deleteMember(
  deps: ZmsDependencies,
  context: RequestContext,
  kind: CollectionKind,
  { domainName, name, memberName, auditRef, resourceOwner }: Omit<MembershipWrite, 'dates'>,
): Promise<void> {
  deps.authorizedServices.check(context, kind.kind, name)
  const subject = { context, domains: [domainName], entity: name, auditRef }
  await deps.writes.commit(subject, async (transaction) => {
    const domain = await transaction.domain(domainName)
    const collection = domain && kind.find(domain, name)
    if (!domain || !collection) throw notFound(`Invalid domain/${kind.kind} name specified`)
    const member = collection.members.get(memberName)
    const caller = context.principal?.fullName ?? ''
    const isRequester = kind.kind === 'role' && collection.selfServe && member?.requestPrincipal === caller
    if (caller !== memberName && !isRequester && !(await mayUpdateMembers(deps, context, kind, domain, name))) {
      throw forbidden(`${WORDS[kind.kind].remove}: principal is not authorized to delete members`)
    }
    if (kind.kind === 'role' && name === 'admin' && collection.members.size === 0) {
      throw forbidden('deleteMembership: Cannot delete because the admin role member is null')
    }
    if (kind.kind === 'role' && name === 'admin' && member && collection.members.size === 1) {
      throw forbidden("deleteMembership: Cannot delete last member of 'admin' role")
    }
    if (!collection.selfServe) deps.ownership.deletion(collection.resourceOwnership, 'members', resourceOwner)
    deps.writes.requireAuditReference(context, kind.kind, domain, auditRef, collection)
    if (!member) {
      await requireKnownPrincipal(transaction, memberName)
      const prefix = kind.kind === 'role' ? `${context.api}: ` : ''
      throw notFound(`${prefix}unable to delete ${kind.kind} member: ${memberName} from ${kind.kind}: ${name}`)
    }
    const changes = new MemberChanges(kind, domainName, name, { principal: caller, auditRef, now: transaction.now })
    if (collection.deleteProtection && needsApproval(collection)) {
      requireSamePendingState(collection, memberName, 'DELETE')
      transaction.apply(...changes.request(memberName, {}, 'DELETE'))
    } else {
      transaction.apply(...changes.remove(memberName))
    }
  })
}

/** Withdraws a request. */
export async function deletePendingMember(
  deps: ZmsDependencies,
  context: RequestContext,
  kind: CollectionKind,
  { domainName, name, memberName, auditRef }: MembershipPlace & { auditRef: string | undefined },
): Promise<void> {
  deps.authorizedServices.check(context, kind.kind, name)
  const subject = { context, domains: [domainName], entity: name, auditRef, method: 'REJECT' }
  await deps.writes.commit(subject, async (transaction) => {
    const domain = await transaction.domain(domainName)
    if (!domain) throw notFound(`Domain not found: ${domainName}`)
    const collection = kind.find(domain, name)
    if (!collection) throw notFound(`unknown ${kind.kind} - ${kind.fullName(domainName, name)}`)
    const pending = collection.pending.get(memberName)
    const caller = context.principal?.fullName ?? ''
    if (pending?.requestPrincipal !== caller && !(await mayUpdateMembers(deps, context, kind, domain, name))) {
      throw forbidden(`${WORDS[kind.kind].removePending}: principal is not authorized to delete pending members`)
    }
    deps.writes.requireAuditReference(context, kind.kind, domain, auditRef, collection)
    if (!pending) {
      await requireKnownPrincipal(transaction, memberName)
      const prefix = kind.kind === 'role' ? `${context.api}: ` : ''
      throw notFound(`${prefix}unable to delete pending ${kind.kind} member: ${memberName} from ${kind.kind}: ${name}`)
    }
    const changes = new MemberChanges(kind, domainName, name, { principal: caller, auditRef, now: transaction.now })
    transaction.apply(...changes.settle(memberName, 'rejected'))
  })
}

/** A decision about a request. */
export interface MembershipDecision extends MembershipPlace {
  readonly approved: boolean
  readonly dates: MemberDates
  readonly auditRef: string | undefined
}

/** Approves or rejects a request for membership, or for the end of one. */
export async function decideMember(
  deps: ZmsDependencies,
  context: RequestContext,
  kind: CollectionKind,
  { domainName, name, memberName, approved, dates: requested, auditRef }: MembershipDecision,
): Promise<void> {
  deps.authorizedServices.check(context, kind.kind, name)
  const subject = { context, domains: [domainName], entity: name, auditRef, ...(!approved && { method: 'REJECT' }) }
  const caller = context.principal?.fullName ?? ''
  const request = await deps.writes.commit(subject, async (transaction) => {
    const domain = await transaction.domain(domainName)
    const collection = domain && kind.find(domain, name)
    if (!domain || !collection) throw badRequest(WORDS[kind.kind].decisionMissing)
    const pending = collection.pending.get(memberName)
    await requireMayDecide(deps, context, kind, domain, collection, memberName, pending)
    if (!pending) throw notFound(`Pending ${kind.kind} member ${memberName} not found`)
    // As in the original only the role or group counts, not its domain.
    const unaudited = { name: domain.name, auditEnabled: false }
    deps.writes.requireAuditReference(context, kind.kind, unaudited, auditRef, collection)
    const changes = new MemberChanges(kind, domainName, name, { principal: caller, auditRef, now: transaction.now })
    if (!approved) {
      transaction.apply(...changes.settle(memberName, 'rejected'))
      return pending
    }
    transaction.apply(...changes.settle(memberName, 'approved'))
    const current = collection.members.get(memberName)
    if (pending.pendingState === 'DELETE') {
      if (current) transaction.apply(...changes.remove(memberName))
      return pending
    }
    const judged = memberCollection(deps, kind, domain, collection)
    await deps.memberRules.check(transaction, judged, memberName, standingOf(current))
    if (!current) deps.quotas.requireRoomForMember(kind.kind, domain, collection.maxMembers, collection.members.size)
    const dates = await datesOf(deps, transaction, kind, domain, collection, memberName, requested, 'direct')
    const requester = kind.kind === 'role' ? pending.requestPrincipal : caller
    transaction.apply(...changes.put(memberName, dates, 'APPROVE', requester, current))
    return pending
  })
  deps.memberDecisions.tell({ kind, domainName, name, pending: request, approved, decidedBy: caller, auditRef })
}

/** 403 unless the caller may decide: an auditor for audit-enabled objects, who updates members otherwise, and not in own affairs. */
async function requireMayDecide(
  deps: ZmsDependencies,
  context: RequestContext,
  kind: CollectionKind,
  domain: Domain,
  collection: Role | Group,
  memberName: string,
  pending: PendingRoleMember | undefined,
): Promise<void> {
  const caller = context.principal?.fullName ?? ''
  const may = collection.auditEnabled
    ? await mayApproveAudited(deps, context, domain)
    : await mayUpdateMembers(deps, context, kind, domain, collection.name)
  if (!may) throw forbidden(`principal ${caller} is not authorized to approve / reject members`)
  if (!needsApproval(collection)) return
  if (caller === memberName) throw forbidden(`principal ${caller} cannot approve / reject own membership`)
  if (pending?.requestPrincipal === caller) {
    throw forbidden(`principal ${caller} cannot approve / reject own request`)
  }
}

/** What is known about one membership: active first, then asked for. */
export function findMember(
  domain: Domain | undefined,
  kind: CollectionKind,
  { domainName, name, memberName }: MembershipPlace,
  expiration: number | undefined,
): { member?: RoleMember; pending?: PendingRoleMember } {
  if (!domain) throw notFound(`unknown domain - ${domainName}`)
  const collection = kind.find(domain, name)
  if (!collection) throw notFound(`unknown ${kind.kind} - ${kind.fullName(domainName, name)}`)
  const matches = (found: { expiration?: number } | undefined) =>
    found !== undefined && (expiration === undefined || found.expiration === wholeSeconds(expiration))
  const member = collection.members.get(memberName)
  if (member && matches(member)) return { member }
  const pending = collection.pending.get(memberName)
  return pending && matches(pending) ? { pending } : {}
}

/** The dates of a request without those it leaves open. */
export function datesOfRequest(body: {
  expiration?: number | undefined
  reviewReminder?: number | undefined
}): MemberDates {
  return {
    ...(body.expiration !== undefined && { expiration: body.expiration }),
    ...(body.reviewReminder !== undefined && { reviewReminder: body.reviewReminder }),
  }
}
