import type { Group, GroupMember } from '#zms/api/group.ts'
import type { Role, RoleAuditLog, RoleMember } from '#zms/api/role.ts'
import { fields, indented, item } from './lines.ts'
import { type NameStyle, shownName } from './names.ts'

/** Lists of texts by name, as tags are. */
export type Tags = Readonly<Record<string, { list: string[] }>>

/** How a role or group is shown. */
export interface CollectionStyle extends NameStyle {
  /** With the log of its changes. */
  readonly log?: boolean
}

/** A role as the lines of a list item. */
export function roleLines(role: Role, style: CollectionStyle): string[] {
  const { roleMembers = [], auditLog = [] } = role
  return item([
    `name: ${shownName(role.name, 'role', style)}`,
    ...fields([
      ['member_expiry_days', role.memberExpiryDays],
      ['service_expiry_days', role.serviceExpiryDays],
      ['token_expiry_mins', role.tokenExpiryMins],
      ['cert_expiry_mins', role.certExpiryMins],
      ['member_review_days', role.memberReviewDays],
      ['service_review_days', role.serviceReviewDays],
      ['group_expiry_days', role.groupExpiryDays],
      ['group_review_days', role.groupReviewDays],
      ['audit_enabled', role.auditEnabled],
      ['review_enabled', role.reviewEnabled],
      ['self_serve', role.selfServe],
      ['sign_algorithm', role.signAlgorithm],
      ['notify_roles', role.notifyRoles],
      ['user_authority_filter', role.userAuthorityFilter],
      ['user_authority_expiration', role.userAuthorityExpiration],
      ['description', role.description],
    ]),
    ...memberLines(roleMembers),
    ...tagLines(role.tags),
    ...(style.log ? roleLogLines(auditLog) : []),
    ...fields([['trust', role.trust]]),
  ])
}

/** A group as the lines of a list item. */
export function groupLines(group: Group, style: CollectionStyle): string[] {
  const { groupMembers = [], auditLog = [] } = group
  return item([
    `name: ${shownName(group.name, 'group', style)}`,
    ...fields([
      ['member_expiry_days', group.memberExpiryDays],
      ['service_expiry_days', group.serviceExpiryDays],
      ['audit_enabled', group.auditEnabled],
      ['review_enabled', group.reviewEnabled],
      ['self_serve', group.selfServe],
      ['notify_roles', group.notifyRoles],
      ['user_authority_filter', group.userAuthorityFilter],
      ['user_authority_expiration', group.userAuthorityExpiration],
    ]),
    ...memberLines(groupMembers),
    ...tagLines(group.tags),
    ...(style.log ? groupLogLines(auditLog) : []),
  ])
}

/** `tags:` and what is in it; nothing when an object has none. */
export function tagLines(tags: Tags | undefined, step = 2): string[] {
  return tags === undefined ? [] : ['tags:', ...indented(step, tagItems(tags))]
}

function tagItems(tags: Tags): string[] {
  return Object.entries(tags)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([key, { list }]) =>
      item([
        `key: ${key}`,
        'values:',
        ...indented(
          2,
          list.map((value) => `- ${value}`),
        ),
      ]),
    )
}

function memberLines(members: readonly (RoleMember | GroupMember)[]): string[] {
  if (members.length === 0) return []
  return ['members:', ...indented(2, members.flatMap(memberItem))]
}

function memberItem(member: RoleMember | GroupMember): string[] {
  return item([
    `name: ${member.memberName ?? ''}`,
    ...fields([
      ['expiration', member.expiration],
      ['review', 'reviewReminder' in member ? member.reviewReminder : undefined],
      ['pending', member.approved === false || undefined],
      ['system-disabled', isDisabled(member.systemDisabled) || undefined],
    ]),
  ])
}

/** Whether a membership is suspended. */
export const isDisabled = (state: number | undefined): boolean => state !== undefined && state !== 0

const roleLogLines = (log: readonly RoleAuditLog[]): string[] => logLines(log, (word) => word)
// Groups show their log under names with capital letters, and readers of the output have got used to it.
const groupLogLines = (log: readonly RoleAuditLog[]): string[] =>
  logLines(log, (word) => word.charAt(0).toUpperCase() + word.slice(1))

function logLines(log: readonly RoleAuditLog[], spelled: (word: string) => string): string[] {
  const items = log.flatMap(({ action, admin, member, created, auditRef = '' }) =>
    item([
      `${spelled('action')}: ${action}`,
      `${spelled('admin')}: ${admin}`,
      `${spelled('member')}: ${member}`,
      `${spelled('date')}: ${created}`,
      `${spelled('ref')}: ${auditRef}`,
    ]),
  )
  return ['changes: ', ...indented(2, items)]
}
