import { type NameType, patterns, RESOURCE_OWNER_MAX_LENGTH } from '#core/names/patterns.ts'
import {
  bool,
  emptyKept,
  flag,
  initially,
  int32,
  lower,
  optional,
  text,
  time,
  timestamp,
  unchecked,
  unlessEmpty,
  type WireType,
} from './wire.ts'

const named = (type: NameType): WireType<string> => text(patterns[type], undefined, type)

/** Names in requests that keep their letters: tags, owners, conditions. The other groups derive from them. */
export const kept = {
  simple: named('SimpleName'),
  domain: named('DomainName'),
  entity: named('EntityName'),
  service: named('ServiceName'),
  action: named('ActionName'),
  resource: named('ResourceName'),
  principal: named('PrincipalName'),
  member: named('MemberName'),
  groupMember: named('GroupMemberName'),
  tagKey: named('TagKey'),
  tagValue: named('TagCompoundValue'),
  conditionKey: named('AssertionConditionKey'),
  conditionValue: named('AssertionConditionValue'),
  /** Owner of a resource, sent as a header. */
  resourceOwner: text(patterns.ResourceOwnerName, RESOURCE_OWNER_MAX_LENGTH),
  text: text(),
} as const

/** Names in replies: any text is read, since some that older versions stored break the patterns of today. */
export const shown = {
  simple: unchecked(kept.simple),
  domain: unchecked(kept.domain),
  entity: unchecked(kept.entity),
  service: unchecked(kept.service),
  resource: unchecked(kept.resource),
  member: unchecked(kept.member),
  groupMember: unchecked(kept.groupMember),
  tagKey: unchecked(kept.tagKey),
  tagValue: unchecked(kept.tagValue),
  conditionKey: unchecked(kept.conditionKey),
  conditionValue: unchecked(kept.conditionValue),
  signedToken: unchecked(named('SignedToken')),
  text: kept.text,
} as const

/** Names in requests: checked as they were sent, handed on in lower case. */
export const lowered = {
  simple: lower(kept.simple),
  domain: lower(kept.domain),
  entity: lower(kept.entity),
  service: lower(kept.service),
  action: lower(kept.action),
  resource: lower(kept.resource),
  principal: lower(kept.principal),
  member: lower(kept.member),
  groupMember: lower(kept.groupMember),
  conditionKey: lower(kept.conditionKey),
  conditionValue: lower(kept.conditionValue),
  /** Names whose type has no pattern: key ids, host names, what a list is searched for. */
  text: lower(kept.text),
} as const

/** Members and parameters that may be absent, one instance each. */
export const maybe = {
  text: optional(kept.text),
  bool: optional(bool()),
  int32: optional(int32()),
  /** Date in a request. */
  timestamp: timestamp(),
  /** Date in a reply. */
  time: optional(time()),
  /** Text that is written also when it is empty. */
  emptyText: emptyKept(kept.text),
  domain: optional(shown.domain),
  simple: optional(shown.simple),
  entity: optional(shown.entity),
  resource: optional(shown.resource),
  loweredText: optional(lowered.text),
  loweredDomain: optional(lowered.domain),
  loweredResource: optional(lowered.resource),
} as const

/** Names in queries, in lower case but for tags; a parameter without value counts as absent. */
export const queried = {
  simple: unlessEmpty(lowered.simple),
  domain: unlessEmpty(lowered.domain),
  entity: unlessEmpty(lowered.entity),
  action: unlessEmpty(lowered.action),
  resource: unlessEmpty(lowered.resource),
  principal: unlessEmpty(lowered.principal),
  tagKey: unlessEmpty(kept.tagKey),
  tagValue: unlessEmpty(kept.tagValue),
  text: unlessEmpty(lowered.text),
} as const

/** Switch of a query or header: false unless its text is `true` in any letter case. */
export const off: WireType<boolean, boolean | undefined> = initially(false, flag())
/** Required number of the original's primitive kind: absent means 0. */
export const zero: WireType<number, number | undefined> = initially(0, int32())
