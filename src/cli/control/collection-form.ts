import { CommandFailure } from '../command-failure.ts'
import { type Fields, field, isFields, plainText, tagsFromWire, tagsToWire, textField } from './fields.ts'

/** Roles and groups: lists of members with settings. */
export type CollectionKind = 'role' | 'group'

/** A member with more than its name; times are texts in UTC. */
export interface MemberForm {
  readonly name: string
  readonly expiration?: string
  readonly reviewReminder?: string
}

/**
 * A role or group as people write it: `members` (names, or names with dates), `trust` of a delegated role, `tags` as lists
 * of texts, and settings by their published names.
 */
export type CollectionForm = Fields & { readonly members?: readonly (string | MemberForm)[] }

/** Members of the published types that are no settings. */
const NOT_SETTINGS: ReadonlySet<string> = new Set([
  'name',
  'modified',
  'members',
  'roleMembers',
  'groupMembers',
  'auditLog',
  'tags',
  'lastReviewedDate',
  'resourceOwnership',
])

/** How the published type of a kind calls its list of members. */
const listOf = (kind: CollectionKind): string => `${kind}Members`

/** A role or group of the interface as people see it. Members whose request is pending are left out. */
export function collectionForm(kind: CollectionKind, wire: Fields): CollectionForm {
  const listed = field(wire, listOf(kind))
  const members = (Array.isArray(listed) ? listed : [])
    .filter(isFields)
    .filter((member) => field(member, 'approved') !== false)
  const settings = Object.entries(wire).filter(([name, value]) => !NOT_SETTINGS.has(name) && isSaid(value))
  const tags = tagsFromWire(field(wire, 'tags'))
  const isDelegated = field(wire, 'trust') !== undefined
  return {
    ...Object.fromEntries(settings.toSorted(([a], [b]) => (a < b ? -1 : 1))),
    ...(tags && { tags }),
    ...(!isDelegated && { members: sorted(members.map(memberForm)) }),
  }
}

/** What the interface takes for it. `name` is the local name. */
export function collectionWire(kind: CollectionKind, name: string, form: CollectionForm): Fields & { name: string } {
  const { members = [], tags, ...settings } = form
  const isDelegated = field(form, 'trust') !== undefined
  return {
    ...settings,
    name,
    ...(tags !== undefined && { tags: tagsToWire(tags) }),
    ...(!isDelegated && { [listOf(kind)]: members.map(memberWire) }),
  }
}

/** Reads a role or group that somebody wrote; `place` names it in messages. Throws a CommandFailure. */
export function readCollection(place: string, value: unknown, settings: ReadonlySet<string>): CollectionForm {
  const given = value ?? {}
  if (!isFields(given)) throw new CommandFailure(`${place} is no object`)
  for (const name of Object.keys(given)) {
    if (name === 'members' || name === 'tags') continue
    if (!settings.has(name) || NOT_SETTINGS.has(name))
      throw new CommandFailure(`${place} has ${name}, which is not known`)
  }
  const { members } = given
  if (members === undefined || members === null) return given
  if (!Array.isArray(members)) throw new CommandFailure(`members of ${place} are no list`)
  return { ...given, members: sorted(members.map((member: unknown) => readMember(place, member))) }
}

/** A form of a member that has nothing but a name is the name. */
export function memberOf(name: string, expiration?: string, reviewReminder?: string): string | MemberForm {
  if (expiration === undefined && reviewReminder === undefined) return name
  return {
    name,
    ...(expiration !== undefined && { expiration }),
    ...(reviewReminder !== undefined && { reviewReminder }),
  }
}

/** The name of a member. */
export const nameOfMember = (member: string | MemberForm): string => (typeof member === 'string' ? member : member.name)

/** Members in the order of their names, as all forms have them. */
export const sorted = (members: readonly (string | MemberForm)[]): (string | MemberForm)[] =>
  [...members].sort((a, b) => (nameOfMember(a) < nameOfMember(b) ? -1 : 1))

function memberForm(wire: Fields): string | MemberForm {
  return memberOf(textField(wire, 'memberName') ?? '', textField(wire, 'expiration'), textField(wire, 'reviewReminder'))
}

function memberWire(member: string | MemberForm) {
  if (typeof member === 'string') return { memberName: member }
  const { name: memberName, ...dates } = member
  return { memberName, ...dates }
}

function readMember(place: string, value: unknown): string | MemberForm {
  if (typeof value === 'string' && value !== '') return value.toLowerCase()
  if (!isFields(value)) throw new CommandFailure(`a member of ${place} is neither a name nor an object with one`)
  const name = textField(value, 'name')
  if (name === undefined || name === '') throw new CommandFailure(`a member of ${place} has no name`)
  const unknown = Object.keys(value).find((key) => !['name', 'expiration', 'reviewReminder'].includes(key))
  if (unknown !== undefined)
    throw new CommandFailure(`the member ${name} of ${place} has ${unknown}, which is not known`)
  const date = (key: string) => timeText(`${key} of ${name} in ${place}`, field(value, key))
  return memberOf(name.toLowerCase(), date('expiration'), date('reviewReminder'))
}

/** A time as ZMS keeps it: in whole seconds. */
export function timeText(what: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined
  const time = new Date(plainText(value) ?? '')
  if (Number.isNaN(time.getTime())) throw new CommandFailure(`${what} is no time: write 2030-01-31T12:00:00Z`)
  return new Date(Math.floor(time.getTime() / 1000) * 1000).toISOString()
}

/** What is off or empty is as good as absent. */
const isSaid = (value: unknown): boolean => value !== undefined && value !== null && value !== false && value !== ''
