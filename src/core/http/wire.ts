import { z } from 'zod'
import { NAME_MAX_LENGTH } from '#core/names/patterns.ts'

/** Kinds of values the API knows, under the names its schema language gives them. */
export type BaseType =
  | 'String'
  | 'Int32'
  | 'Int64'
  | 'Bool'
  | 'Timestamp'
  | 'UUID'
  | 'Enum'
  | 'Array'
  | 'Map'
  | 'Struct'
  | 'Any'

/** What a wire type looks like from outside: the source of the API document, the schema reply and the contract test. */
export interface WireShape {
  readonly base: BaseType
  /** Published name of the type, if it has one. */
  readonly name?: string
  readonly pattern?: RegExp
  /** In UTF-16 code units. */
  readonly maxLength?: number
  /** Words of an enumeration. */
  readonly words?: readonly string[]
  /** Type of the elements of an array or of the values of a map. */
  readonly items?: WireShape
  /** Type of the member names of a map. */
  readonly keys?: WireShape
  /** Members of a structure in published order; absent for a structure with free members. */
  readonly members?: ReadonlyMap<string, WireShape>
  /** May be absent. */
  readonly optional?: true
  /** In replies: an empty text of this optional member is written, where other optional members are left out. */
  readonly emptyKept?: true
  /** In replies: a member that is always there, but may be null. */
  readonly nullable?: true
  /** Value that an absent one stands for. */
  readonly initial?: number | boolean | string
}

/**
 * Types of values on the wire: `T` is what a server reads, `I` what a client of ours may give for it (a value that has an
 * initial one may be left out, an object stands for a map). They accept what the original's JSON mapper accepts (numbers and booleans where text is
 * expected, text where numbers or booleans are, fractions cut to integers, null as absent) and tell two kinds of
 * failure apart: a value that cannot be mapped at all, which is refused before authentication, and one that breaks
 * a rule (pattern, missing member), which is refused after authorization.
 */
export type WireType<T, I = T> = z.ZodType<T, I> & { readonly wire: WireShape; readonly [READ]: Read<T> }

/**
 * Reads a value, and notes what is wrong with it. Types call each other's readers, and the schema library is asked once
 * per body: a list may hold a hundred thousand structures, and its general way costs ten times as much for each.
 */
type Read<T> = (value: unknown, context: Issues) => T
const READ = Symbol('read')

/** Something wrong with a value: what, and where in it. */
export type WireIssue = z.core.$ZodRawIssue
/** What is wrong with a value so far. */
export type WireIssues = Pick<z.core.ParsePayload, 'issues'>

/** Reads a value and adds what is wrong with it; with anything wrong, what it gives is of no use. */
export const readValue = <T>(type: WireType<T, unknown>, value: unknown, issues: WireIssue[]): T =>
  readInto({ issues }, type, value)

/** The same, with the list of what is wrong as a member. */
export const readInto = <T>(context: WireIssues, type: WireType<T, unknown>, value: unknown): T =>
  type[READ](value, context)

/** Value of a wire type after reading. */
export type ValueOf<W extends z.ZodType> = z.output<W>
/** What a client may give for a wire type. */
export type GivenFor<W extends z.ZodType> = z.input<W>

/** Marks an issue as "cannot be mapped" (refused before authentication). */
const unmappable = { mapping: true } as const

/** Whether an issue of a failed parse means that the value could not be mapped at all. */
export const isMappingIssue = (issue: { readonly code?: string; readonly params?: unknown }): boolean =>
  issue.code === 'custom' && (issue.params as { mapping?: boolean } | undefined)?.mapping === true

type Issues = WireIssues

const cannotMap = (context: Issues, input: unknown, message: string): typeof z.NEVER => {
  context.issues.push({ code: 'custom', input, message, params: unmappable, path: [] })
  return z.NEVER
}

const breaksRule = (context: Issues, input: unknown, message: string): typeof z.NEVER => {
  context.issues.push({ code: 'custom', input, message, path: [] })
  return z.NEVER
}

const wireType = <T, I = T>(wire: WireShape, read: Read<T>): WireType<T, I> =>
  Object.assign(z.transform((value: unknown, context) => read(value, context)) as z.ZodType<T, I>, {
    wire,
    [READ]: read,
  })

const isAbsent = (value: unknown): value is undefined | null => value === undefined || value === null

/** A type read by a function that sees every value but an absent one, which breaks the rule "required". */
const reader = <T, I = T>(wire: WireShape, read: Read<T>): WireType<T, I> =>
  wireType(wire, (value, context) => (isAbsent(value) ? breaksRule(context, value, 'missing') : read(value, context)))

const readText = (value: unknown, context: Issues): string => {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return cannotMap(context, value, 'not a text')
}

/**
 * Text; with a pattern, the whole of it must match (patterns are anchored by their author). `maxLength` is in UTF-16
 * code units. `name` is the published name of the type.
 */
export const text = (pattern?: RegExp, maxLength?: number, name?: string): WireType<string> => {
  const limit = maxLength ?? (pattern ? NAME_MAX_LENGTH : Number.POSITIVE_INFINITY)
  return reader(
    { base: 'String', ...(name && { name }), ...(pattern && { pattern }), ...(maxLength && { maxLength }) },
    (value, context) => {
      const read = readText(value, context)
      if (typeof read !== 'string') return read
      if (read.length > limit) return breaksRule(context, value, `longer than ${limit} characters`)
      return pattern && !pattern.test(read) ? breaksRule(context, value, `not a valid ${name ?? 'value'}`) : read
    },
  )
}

/** Any text under the description of `type`: for replies, which the original does not check before it sends them. */
export const unchecked = (type: WireType<string>): WireType<string> => reader(type.wire, readText)

/** The same type in lower case: rules are checked on what was sent, the value handed on is lower case. */
export const lower = (type: WireType<string>): WireType<string> =>
  wireType(type.wire, (value, context) => {
    const read: unknown = type[READ](value, context)
    return typeof read === 'string' ? read.toLowerCase() : z.NEVER
  })

/** The same type, with percent-encoding taken off before rules are checked; broken encoding breaks a rule. */
export const decoded = (type: WireType<string>): WireType<string> =>
  wireType(type.wire, (value, context) => {
    if (typeof value !== 'string' || !value.includes('%')) return type[READ](value, context)
    try {
      return type[READ](decodeURIComponent(value), context)
    } catch {
      return breaksRule(context, value, 'broken percent-encoding')
    }
  })

const INTEGER_TEXT = /^[-+]?\d+$/

const integerBetween = (low: number, high: number, value: number, context: Issues): number => {
  const whole = Math.trunc(value)
  // Adding 0 makes 0 of -0.
  return whole < low || whole > high ? cannotMap(context, value, 'number out of range') : whole + 0
}

const integer = (base: 'Int32' | 'Int64', low: number, high: number): WireType<number> =>
  reader({ base }, (value, context) => {
    if (typeof value === 'number' && Number.isFinite(value)) return integerBetween(low, high, value, context)
    if (typeof value !== 'string') return cannotMap(context, value, 'not a number')
    const trimmed = value.trim()
    if (trimmed === '') return breaksRule(context, value, 'missing')
    return INTEGER_TEXT.test(trimmed)
      ? integerBetween(low, high, Number(trimmed), context)
      : cannotMap(context, value, 'not a number')
  })

const INT32_LOW = -2_147_483_648
const INT32_HIGH = 2_147_483_647

/** 32-bit integer; a fraction is cut, text of digits is read, empty text is absent. */
export const int32 = (): WireType<number> => integer('Int32', INT32_LOW, INT32_HIGH)
/** Integer up to 2^53, otherwise as {@link int32}. */
export const int64 = (): WireType<number> => integer('Int64', Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)

const TRUE_TEXTS = new Set(['true', 'True', 'TRUE'])
const FALSE_TEXTS = new Set(['false', 'False', 'FALSE'])

/** Boolean; the texts `true` and `false` are read, an integer is true when it is not 0, empty text is absent. */
export const bool = (): WireType<boolean> =>
  reader({ base: 'Bool' }, (value, context) => {
    if (typeof value === 'boolean') return value
    if (typeof value === 'number' && Number.isInteger(value)) return value !== 0
    if (typeof value !== 'string') return cannotMap(context, value, 'not a boolean')
    const trimmed = value.trim()
    if (TRUE_TEXTS.has(trimmed)) return true
    if (FALSE_TEXTS.has(trimmed)) return false
    return trimmed === '' ? breaksRule(context, value, 'missing') : cannotMap(context, value, 'not a boolean')
  })

/** Boolean of a query or header: `true` in any letter case; every other text, also the empty one, is false. */
export const flag = (): WireType<boolean> =>
  reader({ base: 'Bool' }, (value) => typeof value === 'string' && value.toLowerCase() === 'true')

/** One of the given words, under the published name of the enumeration; another word cannot be mapped. */
export const enumeration = <const T extends string>(name: string, words: readonly T[]): WireType<T> =>
  reader({ base: 'Enum', name, words }, (value, context) =>
    typeof value === 'string' && (words as readonly string[]).includes(value)
      ? (value as T)
      : cannotMap(context, value, `not one of ${words.join(', ')}`),
  )

const TIMESTAMP = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:Z|([-+])(\d{2}):?(\d{2}))$/

/**
 * Reads a date of the API: `YYYY-MM-DDThh:mm:ss`, an optional fraction and `Z` or an offset.
 * Gives epoch milliseconds in UTC, or undefined for anything else, days and hours that do not exist included.
 */
export function parseTimestamp(value: string): number | undefined {
  return plainTimestamp(value) ?? anyTimestamp(value)
}

/**
 * The form that servers write, `YYYY-MM-DDThh:mm:ss.sssZ`, of a day that every month has; undefined for all others. A
 * signed domain may have thousands of them.
 */
function plainTimestamp(value: string): number | undefined {
  if (value.length !== 24 || value[10] !== 'T' || value[19] !== '.' || value[23] !== 'Z') return undefined
  if (value[4] !== '-' || value[7] !== '-' || value[13] !== ':' || value[16] !== ':') return undefined
  const year = digitsAt(value, 0, 4)
  const month = digitsAt(value, 5, 2)
  const day = digitsAt(value, 8, 2)
  const hour = digitsAt(value, 11, 2)
  const minute = digitsAt(value, 14, 2)
  const second = digitsAt(value, 17, 2)
  // What is no number is in no range.
  const exists =
    year >= 1000 && month >= 1 && month <= 12 && day >= 1 && day <= 28 && hour < 24 && minute < 60 && second < 60
  const millis = exists ? Date.UTC(year, month - 1, day, hour, minute, second, digitsAt(value, 20, 3)) : Number.NaN
  return Number.isNaN(millis) ? undefined : millis
}

/** The number that so many digits make; NaN when one of them is none. */
function digitsAt(digits: string, from: number, count: number): number {
  let value = 0
  for (let at = from; at < from + count; at++) {
    const digit = digits.charCodeAt(at) - 48
    if (!(digit >= 0 && digit <= 9)) return Number.NaN
    value = value * 10 + digit
  }
  return value
}

function anyTimestamp(value: string): number | undefined {
  const match = value.length <= 40 ? TIMESTAMP.exec(value) : null
  if (!match) return undefined
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number)
  const wallMillis = Date.UTC(year, month - 1, day, hour, minute, second)
  const wall = new Date(wallMillis)
  const exists =
    wall.getUTCMonth() === month - 1 && wall.getUTCDate() === day && hour < 24 && minute < 60 && second < 60
  const offsetHours = Number(match[9] ?? 0)
  const offsetMinutes = Number(match[10] ?? 0)
  if (!exists || wall.getUTCFullYear() !== year || offsetHours > 18 || offsetMinutes > 59) return undefined
  const fractionMillis = Number((match[7] ?? '').padEnd(3, '0').slice(0, 3))
  const offsetMillis = (offsetHours * 60 + offsetMinutes) * 60_000 * (match[8] === '-' ? -1 : 1)
  return wallMillis + fractionMillis - offsetMillis
}

/** Writes epoch milliseconds as the API does: UTC with three digits of milliseconds. */
export const formatTimestamp = (epochMillis: number): string => new Date(epochMillis).toISOString()

/**
 * Date in a request, as epoch milliseconds with the precision sent (stores keep whole seconds). Like the original it
 * drops what it cannot read: a number, an unknown form or a day that does not exist counts as absent.
 */
export const timestamp = (): WireType<number | undefined, number | Date | string | undefined> =>
  wireType({ base: 'Timestamp', optional: true }, (value, context) => {
    if (typeof value === 'object' && value !== null) return cannotMap(context, value, 'not a date')
    return typeof value === 'string' ? parseTimestamp(value) : undefined
  })

/** Date in a reply: text in UTC with milliseconds, as {@link formatTimestamp} writes it. */
export const time = (): WireType<string> =>
  reader({ base: 'Timestamp' }, (value, context) =>
    typeof value === 'string' && parseTimestamp(value) !== undefined
      ? value
      : cannotMap(context, value, 'not a timestamp'),
  )

const UUID = /^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/

/** Universally unique identifier as text; another text cannot be mapped. */
export const uuid = (): WireType<string> =>
  reader({ base: 'UUID' }, (value, context) =>
    typeof value === 'string' && UUID.test(value) ? value : cannotMap(context, value, 'not a UUID'),
  )

/** Numbers and booleans read the empty text as absent. */
const isEmptyScalar = (wire: WireShape, value: unknown): boolean =>
  typeof value === 'string' &&
  (wire.base === 'Int32' || wire.base === 'Int64' || wire.base === 'Bool') &&
  value.trim() === ''

/** Absent, null or the type. */
export const optional = <T, I>(type: WireType<T, I>): WireType<T | undefined, I | undefined> => {
  const { wire, [READ]: read } = type
  return wireType({ ...wire, optional: true }, (value, context) =>
    isAbsent(value) || isEmptyScalar(wire, value) ? undefined : read(value, context),
  )
}

/** Absent, null, the empty text or the type: what a query parameter without value means. */
export const unlessEmpty = (type: WireType<string>): WireType<string | undefined> =>
  wireType({ ...type.wire, optional: true }, (value, context) =>
    isAbsent(value) || value === '' ? undefined : type[READ](value, context),
  )

/** An optional text that is written even when it is empty. */
export const emptyKept = (type: WireType<string>): WireType<string | undefined> => {
  const { wire, [READ]: read } = optional(type)
  return wireType({ ...wire, emptyKept: true }, read)
}

/** A required member of which absent, null and empty text mean `initial`: the primitive numbers and flags of the original. */
export const initially = <T extends number | boolean>(initial: T, type: WireType<T>): WireType<T, T | undefined> =>
  wireType({ ...type.wire, initial }, (value, context) =>
    type[READ](isAbsent(value) || isEmptyScalar(type.wire, value) ? initial : value, context),
  )

/** In replies: a member that is always written, as null when there is nothing to say. */
export const nullable = <T, I>(type: WireType<T, I>): WireType<T | null, I | null> =>
  wireType({ ...type.wire, nullable: true }, (value, context) => (value === null ? null : type[READ](value, context)))

/** After so many broken rules nothing more is looked at: a body may hold millions of them, and one is reported. */
const MAX_ISSUES = 100

/** Puts the place of a part before what was noted about it, from `first` on; whether anything was. */
function isBroken({ issues }: Issues, first: number, place: string | number): boolean {
  for (let index = first; index < issues.length; index++) {
    const issue = issues[index] as z.core.$ZodRawIssue
    issues[index] = { ...issue, path: [place, ...(issue.path ?? [])] }
  }
  return issues.length > first
}

/** Whether reading on cannot change the answer. */
const isHopeless = ({ issues }: Issues): boolean => issues.length >= MAX_ISSUES || issues.some(isMappingIssue)

/** Array; anything else cannot be mapped. */
export const list = <T, I>(item: WireType<T, I>): WireType<T[], readonly I[]> =>
  reader({ base: 'Array', items: item.wire }, (value, context) => {
    if (!Array.isArray(value)) return cannotMap(context, value, 'not an array')
    const read: T[] = []
    for (const [index, part] of value.entries()) {
      const before = context.issues.length
      const element = item[READ](part, context)
      if (!isBroken(context, before, index)) read.push(element)
      else if (isHopeless(context)) break
    }
    return read
  })

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

type Members = Readonly<Record<string, WireType<unknown, unknown>>>
type OptionalMembers<M extends Members> = {
  [K in keyof M]: undefined extends z.output<M[K]> ? K : never
}[keyof M]

/** Value of a structure: members whose type allows undefined may be left out. */
export type StructOf<M extends Members> = { [K in Exclude<keyof M, OptionalMembers<M>>]: z.output<M[K]> } & {
  [K in OptionalMembers<M>]?: z.output<M[K]>
} extends infer S
  ? { [K in keyof S]: S[K] }
  : never

type OmissibleMembers<M extends Members> = {
  [K in keyof M]: undefined extends z.input<M[K]> ? K : never
}[keyof M]

/** What a client may give for a structure: members that have an initial value may be left out, too. */
export type GivenStructOf<M extends Members> = {
  readonly [K in Exclude<keyof M, OmissibleMembers<M>>]: z.input<M[K]>
} & { readonly [K in OmissibleMembers<M>]?: z.input<M[K]> } extends infer S
  ? { [K in keyof S]: S[K] }
  : never

/** Object with named members; unknown members are ignored. With a published name when the API has one for it. */
export function struct<const M extends Members>(members: M): WireType<StructOf<M>, GivenStructOf<M>>
export function struct<const M extends Members>(name: string, members: M): WireType<StructOf<M>, GivenStructOf<M>>
export function struct<const M extends Members>(
  nameOrMembers: string | M,
  named?: M,
): WireType<StructOf<M>, GivenStructOf<M>> {
  const members = typeof nameOrMembers === 'string' ? (named as M) : nameOrMembers
  const readers = Object.entries(members).map(([name, member]) => [name, member[READ]] as const)
  const wire = {
    base: 'Struct',
    ...(typeof nameOrMembers === 'string' && { name: nameOrMembers }),
    members: new Map(Object.entries(members).map(([name, member]) => [name, member.wire])),
  } as const
  return reader(wire, (object, context) => {
    if (!isObject(object)) return cannotMap(context, object, 'not an object')
    const read: Record<string, unknown> = {}
    for (const [name, readMember] of readers) {
      const before = context.issues.length
      const member = readMember((object as Record<string, unknown>)[name], context)
      if (!isBroken(context, before, name) && member !== undefined) read[name] = member
    }
    return read as StructOf<M>
  })
}

/** Object with free member names, as a Map: a member may be called `__proto__`. For requests. */
export const mapOf = <V, I>(
  key: WireType<string>,
  value: WireType<V, I>,
): WireType<Map<string, V>, ReadonlyMap<string, I> | Readonly<Record<string, I>>> =>
  reader({ base: 'Map', keys: key.wire, items: value.wire }, (object, context) => {
    if (!isObject(object)) return cannotMap(context, object, 'not an object')
    const read = new Map<string, V>()
    for (const [name, part] of Object.entries(object)) {
      const before = context.issues.length
      const [member, element] = [key[READ](name, context), value[READ](part, context)]
      if (!isBroken(context, before, name)) read.set(member, element)
      else if (isHopeless(context)) break
    }
    return read
  })

/** Object with free member names, as an object to be built by `Object.fromEntries`. For replies. */
export const record = <V, I>(
  key: WireType<string>,
  value: WireType<V, I>,
): WireType<Record<string, V>, Readonly<Record<string, I>>> => {
  const { wire, [READ]: read } = mapOf(key, value)
  return wireType(wire, (object, context) => {
    const members: unknown = read(object, context)
    return members instanceof Map ? (Object.fromEntries(members) as Record<string, V>) : z.NEVER
  })
}

/** Any JSON object, kept as it is. */
export const anyObject = (): WireType<Record<string, unknown>> =>
  reader({ base: 'Struct' }, (value, context) =>
    isObject(value) ? (value as Record<string, unknown>) : cannotMap(context, value, 'not an object'),
  )
