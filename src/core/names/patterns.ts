/**
 * String types of the API under their published names, as anchored patterns.
 *
 * Every pattern is built so that a character belongs either to a part or to the separator after it, never to both: a
 * failed match gives back what it read once, so the time is linear in the length of the text.
 */

const simple = '[a-zA-Z0-9_][a-zA-Z0-9_-]*'
const compound = `${simple}(?:\\.${simple})*`
const resource = `${compound}(?::${compound})?`
const group = `${compound}:group\\.${compound}`
// The original's "any character" stops at every line end of Unicode, also U+0085.
const external = `${compound}:ext\\.[^\\n\\r\\u0085\\u2028\\u2029]+`
const tagValue = '[a-zA-Z0-9_:,/][a-zA-Z0-9_:%,/-]*'
const conditionKey = '[a-zA-Z][a-zA-Z0-9_-]+'
const conditionValue = '[a-zA-Z0-9*][a-zA-Z0-9_.*-]*'

const whole = (pattern: string): RegExp => new RegExp(`^(?:${pattern})$`)

const compoundName = whole(compound)
const simpleName = whole(simple)

/** Published name → pattern that the whole text must match. Upper-case letters match: names are lowered after the check. */
export const patterns = {
  SimpleName: simpleName,
  CompoundName: compoundName,
  DomainName: compoundName,
  EntityName: compoundName,
  ServiceName: compoundName,
  LocationName: compoundName,
  ActionName: compoundName,
  AuthorityName: compoundName,
  /** A domain, or `domain:entity`. */
  ResourceName: whole(resource),
  /** Comma separated. */
  ResourceNames: whole(`${resource}(?:,${resource})*`),
  YBase64: whole('[a-zA-Z0-9._-]+'),
  YEncoded: whole('[a-zA-Z0-9._%=-]*'),
  SignedToken: whole('[a-zA-Z0-9._%=:;,-]*'),
  /** `domain:ext.` and any text of one line. */
  ExternalMemberName: whole(external),
  /** `domain:group.name` */
  GroupName: whole(group),
  /** Member of a group: user, service or external member. */
  GroupMemberName: whole(`${compound}|${external}`),
  PrincipalName: whole(`${resource}|${external}`),
  /** Member of a role: everything, everything in a domain, a name or its beginning with `*`, group, external member. */
  MemberName: whole(`\\*|${compound}\\.\\*|${compound}\\*?|${group}|${external}`),
  AuthorityKeyword: simpleName,
  AuthorityKeywords: whole(`${simple}(?:,${simple})*`),
  TagKey: whole(`${simple}(?:[:.]${simple})*`),
  TagValue: whole(tagValue),
  TagCompoundValue: whole(`${tagValue}(?:\\.${tagValue})*`),
  AssertionConditionKeyPattern: whole(conditionKey),
  AssertionConditionKey: whole(`${conditionKey}(?:\\.${conditionKey})*`),
  AssertionConditionValuePattern: whole(conditionValue),
  AssertionConditionValue: whole(`${conditionValue}(?:,${conditionValue})*`),
  ResourceOwnerName: whole('[a-zA-Z0-9_][a-zA-Z0-9_:-]*'),
} as const

/** Published names of the string types. */
export type NameType = keyof typeof patterns

/** Longest resource owner, in characters. */
export const RESOURCE_OWNER_MAX_LENGTH = 32

/** Longest text a pattern is tried on, in UTF-16 code units: bounds the backtracking stack of the matcher. */
export const NAME_MAX_LENGTH = 65_536

/** Whether the whole text is of the published string type. */
export const isName = (type: NameType, text: string): boolean =>
  text.length <= NAME_MAX_LENGTH && patterns[type].test(text)

/** Whether the text may name the owner of a resource (pattern and length). */
export const isResourceOwnerName = (text: string): boolean =>
  text.length <= RESOURCE_OWNER_MAX_LENGTH && patterns.ResourceOwnerName.test(text)
