import type { PendingRoleMember, RoleMember } from '../store/model.ts'
import type { CollectionKind } from './collection.ts'
import type { MembershipPlace } from './membership.ts'
import { compact, timestamp } from './wire-form.ts'

/** One membership as the API writes it: active, asked for, or none. */
export function membershipReply(
  kind: CollectionKind,
  { domainName, name, memberName }: MembershipPlace,
  found: { member?: RoleMember; pending?: PendingRoleMember },
  now: number,
  form: 'read' | 'written',
): Record<string, unknown> {
  const names = {
    memberName,
    [kind.kind === 'role' ? 'roleName' : 'groupName']: kind.fullName(domainName, name),
  }
  const { member, pending } = found
  if (member) {
    // A read says whether the membership counts, a write that it was stored.
    const expired = form === 'read' && member.expiration !== undefined && member.expiration < now
    return compact({
      ...names,
      isMember: !expired,
      expiration: timestamp(member.expiration),
      reviewReminder: timestamp(member.reviewReminder),
      approved: true,
      requestPrincipal: member.requestPrincipal,
      systemDisabled: member.systemDisabled,
    })
  }
  if (pending) {
    return compact({
      ...names,
      isMember: true,
      expiration: timestamp(pending.expiration),
      reviewReminder: timestamp(pending.reviewReminder),
      approved: false,
      requestPrincipal: pending.requestPrincipal,
      pendingState: pending.pendingState,
    })
  }
  return { ...names, isMember: false }
}
