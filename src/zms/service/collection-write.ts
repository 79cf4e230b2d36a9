import { badRequest } from '#core/error/service-error.ts'
import type { RequestContext } from '#core/http/endpoint.ts'
import { resolveUserAlias } from '#core/names/principal-name.ts'
import { Pace } from '#core/seam/pace.ts'
import type { Domain, Group, Role, RoleBase, RoleMember } from '../store/model.ts'
import type { Transaction } from '../store/store.ts'
import { type CollectionKind, needsApproval } from './collection.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { MemberChanges } from './member-changes.ts'
import { type MemberDates, memberDays } from './member-dates.ts'
import type { MemberCollection } from './member-rules.ts'
import { principalDomainsOf } from './principal-domains.ts'
import { suspensions } from './suspension.ts'

/** A member that a whole write of a role or group asks for. */
export interface RequestedMember {
  readonly name: string
  readonly dates: MemberDates
}

/** Members of a request under their stored names; the first of several with one name counts. */
export function requestedMembers(
  { config }: Pick<ZmsDependencies, 'config'>,
  members: readonly {
    memberName?: string | undefined
    expiration?: number | undefined
    reviewReminder?: number | undefined
  }[],
): RequestedMember[] {
  const domains = principalDomainsOf(config)
  const found = new Map<string, RequestedMember>()
  for (const { memberName, expiration, reviewReminder } of members) {
    if (memberName === undefined) continue
    const name = resolveUserAlias(memberName, domains)
    if (found.has(name)) continue
    const dates = {
      ...(expiration !== undefined && { expiration }),
      ...(reviewReminder !== undefined && { reviewReminder }),
    }
    found.set(name, { name, dates })
  }
  return [...found.values()]
}

/** What the rules about members need to know of the role or group that is written. */
export function memberCollection(
  deps: ZmsDependencies,
  kind: CollectionKind,
  domain: Domain,
  base: Pick<
    RoleBase,
    'name' | 'userAuthorityFilter' | 'userAuthorityExpiration' | 'principalDomainFilter' | 'auditEnabled'
  >,
): MemberCollection {
  const { userAuthorityFilter, userAuthorityExpiration, principalDomainFilter, auditEnabled } = base
  return {
    kind: kind.kind,
    name: base.name,
    domain,
    userAuthorityFilter,
    userAuthorityExpiration,
    principalDomainFilter,
    auditEnabled,
    refuseGroups: kind.kind === 'role' && base.name === 'admin' && deps.config.zms.disallowGroupsInAdminRole.value,
  }
}

/** What the rules about members need to know of a membership that there is already. */
export const standingOf = (member: RoleMember | undefined): { suspended: boolean } | undefined =>
  member && { suspended: ((member.systemDisabled ?? 0) & suspensions.authority) !== 0 }

/** A whole write of a role or group. */
export interface CollectionWrite {
  readonly kind: CollectionKind
  readonly domain: Domain
  readonly existing: Role | Group | undefined
  /** The new settings. */
  readonly base: RoleBase
  readonly members: readonly RequestedMember[]
  readonly auditRef: string | undefined
}

/**
 * Writes a role or group with exactly the members asked for: new ones are added, missing ones removed, those whose dates
 * changed updated. Where changes need approval, new members and changed dates become requests, and so do removals under
 * delete protection; members stay as they are until then. Costs grow with the members of request and object.
 */
export async function writeCollection(
  deps: ZmsDependencies,
  context: RequestContext,
  transaction: Transaction,
  { kind, domain, existing, base, members, auditRef }: CollectionWrite,
): Promise<void> {
  const caller = context.principal?.fullName ?? ''
  const changes = new MemberChanges(kind, domain.name, base.name, { principal: caller, auditRef, now: transaction.now })
  const collection = memberCollection(deps, kind, domain, base)
  const days = memberDays(base, domain)
  const approval = needsApproval(base)
  transaction.apply(kind.put(domain.name, base))
  const wanted = new Set<string>()
  const pace = new Pace()
  for (const { name, dates: requested } of members) {
    await pace.pause()
    wanted.add(name)
    const current = existing?.members.get(name)
    const type = deps.memberRules.typeOf(name)
    await deps.memberRules.check(transaction, collection, name, standingOf(current))
    const dates = await deps.memberDates.dates(
      { name, type },
      requested,
      days,
      transaction.now,
      base.userAuthorityExpiration,
      'refuseList',
    )
    if (kind.kind === 'group') delete dates.reviewReminder
    if (current && sameDates(current, dates)) continue
    if (approval) {
      requireSamePendingState(existing, name, 'ADD')
      transaction.apply(...changes.request(name, dates, 'ADD'))
    } else {
      // Of members of roles only those that come with a new role carry who asked for them.
      const requester = existing ? undefined : caller
      transaction.apply(...changes.put(name, dates, current ? 'UPDATE' : 'ADD', requester, current))
    }
  }
  for (const { memberName } of existing?.members ?? []) {
    if (wanted.has(memberName)) continue
    if (approval && base.deleteProtection) {
      requireSamePendingState(existing, memberName, 'DELETE')
      transaction.apply(...changes.request(memberName, {}, 'DELETE'))
    } else {
      transaction.apply(...changes.remove(memberName))
    }
  }
}

/** 400 when the opposite is already asked for. */
export function requireSamePendingState(
  collection: Role | Group | undefined,
  member: string,
  state: 'ADD' | 'DELETE',
): void {
  const pending = collection?.pending.get(member)
  if (pending && pending.pendingState !== state) {
    throw badRequest(`The user ${member} already has a pending request in a different state`)
  }
}

const sameDates = (a: MemberDates, b: MemberDates) =>
  a.expiration === b.expiration && a.reviewReminder === b.reviewReminder

/**
 * Moves the dates of members that the settings now in force would not allow: later and absent dates become the latest
 * allowed. Used when days of a role, group or domain change, or the attribute that dates users.
 */
export async function limitMemberDates(
  deps: ZmsDependencies,
  context: RequestContext,
  transaction: Transaction,
  {
    kind,
    domain,
    collection,
    base,
    userAuthorityExpiration,
    auditRef,
  }: {
    kind: CollectionKind
    /** The domain with its new settings. */
    domain: Pick<Domain, 'name' | 'memberExpiryDays' | 'serviceExpiryDays' | 'groupExpiryDays'>
    collection: Role | Group
    /** The new settings of the role or group. */
    base: RoleBase
    /** Attribute whose date users may not outlast from now on; those without the date are members until now. */
    userAuthorityExpiration?: string | undefined
    auditRef: string | undefined
  },
): Promise<void> {
  const caller = context.principal?.fullName ?? ''
  const changes = new MemberChanges(kind, domain.name, base.name, { principal: caller, auditRef, now: transaction.now })
  const days = memberDays(base, domain)
  for (const member of collection.members as Iterable<RoleMember>) {
    const type = deps.memberRules.typeOf(member.memberName)
    const current: MemberDates = {
      ...(member.expiration !== undefined && { expiration: member.expiration }),
      ...(member.reviewReminder !== undefined && { reviewReminder: member.reviewReminder }),
    }
    const dates = await deps.memberDates.dates(
      { name: member.memberName, type },
      current,
      days,
      transaction.now,
      userAuthorityExpiration,
      'endNow',
    )
    if (kind.kind === 'group') delete dates.reviewReminder
    if (!sameDates(member, dates)) {
      transaction.apply(...changes.put(member.memberName, dates, 'UPDATE', member.requestPrincipal, member))
    }
  }
}
