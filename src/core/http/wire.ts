import { z } from 'zod'

/**
 * Types of values on the wire. They accept what the original's JSON mapper accepts (numbers and booleans where text is
 * expected, text where numbers or booleans are, fractions cut to integers, null as absent) and tell two kinds of
 * failure apart: a value that cannot be mapped at all, which is refused before authentication, and one that breaks
 * a rule (pattern, missing member), which is refused after authorization.
 */
export type WireType<T> = z.ZodType<T>

/** Marks an issue as "cannot be mapped" (refused before authentication). */
const unmappable = { mapping: true } as const

/** Whether an issue of a failed parse means that the value could not be mapped at all. */
export const isMappingIssue = (issue: z.core.$ZodIssue): boolean =>
  issue.code === 'custom' && (issue.params as { mapping?: boolean } | undefined)?.mapping === true

type Context = z.core.ParsePayload<unknown> & { addIssue: (issue: z.core.$ZodRawIssue) => void }

const cannotMap = (context: Pick<Context, 'issues'>, input: unknown, message: string): typeof z.NEVER => {
  context.issues.push({ code: 'custom', input, message, params: unmappable, path: [] })
  return z.NEVER
}

const missing = (context: Pick<Context, 'issues'>): typeof z.NEVER => {
  context.issues.push({ code: 'custom', input: undefined, message: 'missing', path: [] })
  return z.NEVER
}

const coerced = <T>(coerce: (value: unknown, context: Pick<Context, 'issues'>) => T) =>
  z.transform((value: unknown, context) =>
    value === undefined || value === null ? missing(context) : coerce(value, context),
  )

const asText = coerced((value, context) => {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return cannotMap(context, value, 'not a text')
})

/** Text; with a pattern, the whole of it must match. `maxLength` is in UTF-16 code units. */
export const text = (pattern?: RegExp, maxLength?: number): WireType<string> => {
  let inner = z.string()
  if (maxLength !== undefined) inner = inner.max(maxLength)
  if (pattern) inner = inner.regex(pattern)
  return asText.pipe(inner) as unknown as WireType<string>
}

const asInteger = (low: number, high: number) =>
  coerced((value, context) => {
    const number = typeof value === 'string' && /^\s*[-+]?\d+\s*$/.test(value) ? Number(value) : value
    if (value === '') return 0
    if (typeof number !== 'number' || !Number.isFinite(number)) return cannotMap(context, value, 'not a number')
    const whole = Math.trunc(number)
    return whole < low || whole > high ? cannotMap(context, value, 'number out of range') : whole
  })

/** 32-bit integer; a fraction is cut, text of digits is read. */
export const int32 = (): WireType<number> =>
  asInteger(-2_147_483_648, 2_147_483_647).pipe(z.int()) as unknown as WireType<number>
/** Integer up to 2^53. */
export const int64 = (): WireType<number> =>
  asInteger(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER).pipe(z.int()) as unknown as WireType<number>

/** Boolean; the texts `true` and `false` are read, a number is true when it is not 0. */
export const bool = (): WireType<boolean> =>
  coerced((value, context) => {
    if (typeof value === 'boolean') return value
    if (typeof value === 'number') return value !== 0
    if (value === 'true' || value === 'True' || value === 'TRUE') return true
    if (value === 'false' || value === 'False' || value === 'FALSE' || value === '') return false
    return cannotMap(context, value, 'not a boolean')
  }).pipe(z.boolean()) as unknown as WireType<boolean>

/** One of the given words; another word cannot be mapped. */
export const oneOf = <const T extends string>(...words: readonly T[]): WireType<T> =>
  coerced((value, context) =>
    typeof value === 'string' && (words as readonly string[]).includes(value)
      ? (value as T)
      : cannotMap(context, value, `not one of ${words.join(', ')}`),
  ).pipe(z.enum(words as readonly string[] as [string, ...string[]]) as never) as unknown as WireType<T>

/** Absent, null or the type. */
export const optional = <T>(type: WireType<T>): WireType<T | undefined> =>
  z.preprocess((value) => value ?? undefined, type.optional()) as unknown as WireType<T | undefined>

/** Array; anything else cannot be mapped. */
export const list = <T>(item: WireType<T>): WireType<T[]> =>
  coerced((value, context) =>
    Array.isArray(value) ? (value as unknown[]) : cannotMap(context, value, 'not an array'),
  ).pipe(z.array(item)) as unknown as WireType<T[]>

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Object with named members; unknown members are ignored. */
export const struct = <S extends Record<string, z.ZodType>>(members: S): WireType<z.output<z.ZodObject<S>>> =>
  coerced((value, context) => (isObject(value) ? value : cannotMap(context, value, 'not an object'))).pipe(
    z.object(members),
  ) as unknown as WireType<z.output<z.ZodObject<S>>>

/** Object with free member names, as a Map (a member may be called `__proto__`). */
export const mapOf = <V>(key: WireType<string>, value: WireType<V>): WireType<Map<string, V>> =>
  coerced((input, context) =>
    isObject(input) ? new Map(Object.entries(input)) : cannotMap(context, input, 'not an object'),
  ).pipe(z.map(key, value) as never) as unknown as WireType<Map<string, V>>

/** Any JSON object, kept as it is. */
export const anyObject = (): WireType<Record<string, unknown>> =>
  coerced((value, context) =>
    isObject(value) ? (value as Record<string, unknown>) : cannotMap(context, value, 'not an object'),
  ) as unknown as WireType<Record<string, unknown>>
