import { stateOf } from '#core/rbac/holding.ts'
import type { MemberSummary } from '../api/collection-search.ts'
import type { GroupMember, PendingGroupMember, PendingRoleMember, RoleMember } from '../store/model.ts'
import type { MemberRules } from './member-rules.ts'
import { suspensionNames } from './suspension.ts'
import { compact, timestamp } from './wire-form.ts'

/** An entry of a role or group. */
export type MemberEntry = RoleMember | GroupMember
/** A request for a membership in one. */
export type MemberRequest = PendingRoleMember | PendingGroupMember

/** All that is known of the membership of one principal; at least one of entry and request is there. */
export interface KnownMember {
  readonly memberName: string
  readonly entry: MemberEntry | undefined
  readonly request: MemberRequest | undefined
  /** Others that bring the membership: full names of groups or roles. */
  readonly through: readonly string[]
  /** The entry is the principal's own. */
  readonly direct: boolean
}

/** Whether the review reminder of an entry has passed. */
export const isOverdue = (entry: MemberEntry, now: number): boolean =>
  'reviewReminder' in entry && entry.reviewReminder !== undefined && entry.reviewReminder < now

/** The reply about a member at a time in epoch milliseconds. */
export function memberSummary(
  { memberName, entry, request, through, direct }: KnownMember,
  rules: MemberRules,
  now: number,
): MemberSummary {
  const disabled = entry?.systemDisabled
  return compact<MemberSummary>({
    memberName,
    principalType: rules.typeOf(memberName),
    state: entry ? stateOf(entry, now) : 'pending',
    direct,
    through: through.length > 0 ? [...through] : undefined,
    expiration: timestamp(entry?.expiration),
    reviewReminder: timestamp(reminderOf(entry)),
    overdue: entry !== undefined && isOverdue(entry, now),
    auditRef: entry?.auditRef,
    requestPrincipal: entry?.requestPrincipal,
    systemDisabled: disabled,
    disabledBy: disabled ? suspensionNames(disabled) : undefined,
    request: request && requestSummary(request),
  })
}

const requestSummary = (request: MemberRequest) =>
  compact<NonNullable<MemberSummary['request']>>({
    pendingState: request.pendingState,
    requestPrincipal: request.requestPrincipal,
    requestTime: new Date(request.requestTime).toISOString(),
    expiration: timestamp(request.expiration),
    reviewReminder: timestamp(reminderOf(request)),
    auditRef: request.auditRef,
  })

const reminderOf = (entry: MemberEntry | MemberRequest | undefined): number | undefined =>
  entry !== undefined && 'reviewReminder' in entry ? entry.reviewReminder : undefined
