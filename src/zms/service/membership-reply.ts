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
  // A read says whether the membership is over, also one that is only asked for; a write that it was stored.
  const expired = ({ expiration }: { expiration?: number }) =>
    form === 'read' && expiration !== undefined && expiration < now
  if (member) {
    return compact({
      ...names,
      isMember: !expired(member),
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
      isMember: !expired(pending),
      expiration: timestamp(pending.expiration),
      reviewReminder: timestamp(pending.reviewReminder),
      approved: false,
      requestPrincipal: pending.requestPrincipal,
      pendingState: pending.pendingState,
    })
  }
  return { ...names, isMember: false }
}
