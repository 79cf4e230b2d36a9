import type { z } from 'zod'
import type { Dynamic } from './dynamic.ts'
import * as types from './property-type.ts'

/** Reads the text in force of another property; undefined when it is not set and has no default. */
export type PropertyReader = (key: string) => string | undefined

/** A default that depends on other properties. */
export interface DerivedDefault<Text extends string | undefined = string | undefined> {
  /** What it is, for the example files. */
  readonly says: string
  readonly from: (property: PropertyReader) => Text
}

/**
 * The default as it would stand in a file, where `{root}` is the server's base folder, `{server}` its short name and
 * `{hostname}` the name of the machine; a rule; or nothing, when the property may be absent.
 */
export type PropertyDefault = string | number | boolean | DerivedDefault | undefined

/** One property of the original, or one of ours: its type, default and meaning. */
export interface Property<
  Type extends z.ZodType = z.ZodType,
  Unit extends string = string,
  IsDynamic extends boolean = boolean,
> {
  readonly type: Type
  readonly default: PropertyDefault
  /** One sentence. */
  readonly meaning: string
  /** Unit of the number, appended to the name in the configuration object when the key does not end with it. */
  readonly unit: Unit
  /** A change of the file takes effect without restart. */
  readonly dynamic: IsDynamic
  readonly supported: true
  /** How the text is read before it reaches the type. */
  readonly form: 'line' | 'path' | 'value'
}

/** A property of the original that has no effect here; setting it gives a warning with the reason. */
export interface UnsupportedProperty extends Omit<Property, 'supported'> {
  /** Why it has no effect, and what does instead. */
  readonly supported: string
}

/** Properties by key, without the prefix of their table. */
export type PropertyRows = Readonly<Record<string, Property | UnsupportedProperty>>

type CamelAt<Text extends string, Separator extends string> = Text extends `${infer Head}${Separator}${infer Tail}`
  ? `${Head}${Capitalize<CamelAt<Tail, Separator>>}`
  : Text
type Camel<Key extends string> = CamelAt<CamelAt<CamelAt<Key, '.'>, '-'>, '_'>
type WithUnit<Name extends string, Unit extends string> = Name extends `${string}${Unit}` ? Name : `${Name}${Unit}`

/** Name in the configuration object: `user_token_timeout` in seconds is `userTokenTimeoutSeconds`. */
export type FieldName<Key extends string, P> =
  P extends Property<z.ZodType, infer Unit> ? WithUnit<Camel<Key>, Unit> : never

type ValueOf<P> =
  P extends Property<infer Type, string, infer IsDynamic>
    ? IsDynamic extends true
      ? Dynamic<z.infer<Type>>
      : z.infer<Type>
    : never

/** Type of the settings that come of a table; properties without support are not among them. */
export type SettingsOf<Rows> = {
  readonly [Key in keyof Rows & string as FieldName<Key, Rows[Key]>]: ValueOf<Rows[Key]>
}

/** The same name at run time. */
export const fieldName = (key: string, unit: string): string => {
  const name = key.replace(/[._-]+(.)/g, (_, letter: string) => letter.toUpperCase())
  return name.endsWith(unit) ? name : `${name}${unit}`
}

type TypeFor<Value, Default> = Default extends string | number | boolean | DerivedDefault<string>
  ? types.PropertyType<Value>
  : z.ZodOptional<types.PropertyType<Value>>

type Row<Value, Default, Unit extends string = ''> = Property<TypeFor<Value, Default>, Unit, false>

const row = <Value, const Default extends PropertyDefault, Unit extends string>(
  type: types.PropertyType<Value>,
  form: Property['form'],
  unit: Unit,
  defaultValue: Default,
  meaning: string,
): Row<Value, Default, Unit> => ({
  type: (defaultValue === undefined || typeof defaultValue === 'object' ? type.optional() : type) as TypeFor<
    Value,
    Default
  >,
  default: defaultValue,
  meaning,
  unit,
  dynamic: false,
  supported: true,
  form,
})

/** `form` is `line` where an empty value means "not set", `value` where an empty value is one. */
const rowOf =
  <Value>(type: types.PropertyType<Value>, form: Property['form'] = 'line') =>
  <const Default extends PropertyDefault>(defaultValue: Default, meaning: string): Row<Value, Default> =>
    row(type, form, '', defaultValue, meaning)

const INT_MIN = -(2 ** 31)
const INT_MAX = 2 ** 31 - 1
const COUNT = types.integerType(0, INT_MAX)

const numberOf =
  <Unit extends string>(type: types.PropertyType<number>, unit: Unit) =>
  <const Default extends PropertyDefault>(defaultValue: Default, meaning: string): Row<number, Default, Unit> =>
    row(type, 'value', unit, defaultValue, meaning)

/** Marks a property without default. */
export const unset = undefined

/** A line of text. */
export const text = rowOf(types.textType)
/** A password or key, or the name under which the private key store has it. */
export const secret = rowOf(types.secretType)
/** A file or folder; a relative one counts from the server's base folder. */
export const path = rowOf(types.textType, 'path')
/** Class of the original or module of one's own. */
export const className = rowOf(types.textType)
/** A switch. */
export const boolean = rowOf(types.booleanType, 'value')
/** Any whole number. */
export const integer = numberOf(types.integerType(INT_MIN, INT_MAX), '')
/** A whole number, not negative. */
export const count = numberOf(COUNT, '')
/** A whole number; one below `least` means the default, as in the original. */
export const countFrom = <const Default extends number>(
  least: number,
  defaultValue: Default,
  meaning: string,
): Row<number, Default> => {
  const type = types.integerType(INT_MIN, INT_MAX).transform((value) => (value < least ? defaultValue : value))
  return row(type, 'value', '', defaultValue, meaning)
}
/** A share of a hundred. */
export const percent = numberOf(types.integerType(0, 100), '')
/** Epoch milliseconds. */
export const epochMillis = numberOf(types.integerType(0, Number.MAX_SAFE_INTEGER), 'Millis')
/** A duration in seconds. */
export const seconds = numberOf(COUNT, 'Seconds')
/** A duration in milliseconds. */
export const millis = numberOf(COUNT, 'Millis')
/** The same where the key of the original says `ms`. */
export const ms = numberOf(COUNT, 'Ms')
/** A duration in milliseconds where a negative number has a meaning of its own. */
export const signedMillis = numberOf(types.integerType(INT_MIN, INT_MAX), 'Millis')
/** A duration in minutes. */
export const minutes = numberOf(COUNT, 'Minutes')
/** The same where the key of the original says `mins`. */
export const mins = numberOf(COUNT, 'Mins')
/** A duration in hours. */
export const hours = numberOf(COUNT, 'Hours')
/** A duration in days. */
export const days = numberOf(COUNT, 'Days')
/** A TCP port, 0 = off. */
export const port = numberOf(types.portType, '')
/** Processes of a server. */
export const workers = rowOf(types.workersType)
/** Items between commas, in order. */
export const list = rowOf(types.listType, 'value')
/** Items between commas, as a set. */
export const set = rowOf(types.setType, 'value')
/** Items between vertical bars, as a set. */
export const barSet = rowOf(types.barSetType, 'value')
/** Paths and regular expressions. */
export const uriList = rowOf(types.uriListType, 'value')
/** Address of a database. */
export const jdbcUrl = rowOf(types.jdbcUrlType)
/** An http or https URL. */
export const url = rowOf(types.urlType)
/** Address of a page, without a path. */
export const origin = rowOf(types.originType)
/** A regular expression for a whole text. */
export const pattern = rowOf(types.patternType)
/** Name of a time zone. */
export const timeZone = rowOf(types.timeZoneType)
/** JSON object of response headers. */
export const headers = rowOf(types.headersType)

/** One of a few words. */
export const word = <const Words extends readonly string[], const Default extends PropertyDefault>(
  words: Words,
  defaultValue: Default,
  meaning: string,
): Row<Words[number], Default> => row(types.wordType(words), 'line', '', defaultValue, meaning)

/** A set of words out of a few. */
export const wordSet = <const Words extends readonly string[], const Default extends PropertyDefault>(
  words: Words,
  defaultValue: Default,
  meaning: string,
): Row<ReadonlySet<Words[number]>, Default> => row(types.wordSetType(words), 'value', '', defaultValue, meaning)

/** Default: the value of another property, which always has one. */
export const sameAs = (key: string): DerivedDefault<string> => ({
  says: `the value of ${key}`,
  from: (property) => {
    const value = property(key)
    if (value === undefined) throw new Error(`${key} has no value to be a default`)
    return value
  },
})

/** Default: the value of another property, if that is set. */
export const sameAsIfSet = (key: string): DerivedDefault => ({
  says: `the value of ${key}`,
  from: (property) => property(key),
})

/** A property whose change takes effect without restart. */
export const dynamic = <Type extends z.ZodType, Unit extends string>(
  property: Property<Type, Unit, false>,
): Property<Type, Unit, true> => ({ ...property, dynamic: true })

/** A property of the original without effect here. */
export const unsupported = (reason: string, property: Property): UnsupportedProperty => ({
  ...property,
  supported: reason,
})

/** The same reason for several properties. */
export const allUnsupported = <Rows extends Readonly<Record<string, Property>>>(
  reason: string,
  rows: Rows,
): { readonly [Key in keyof Rows]: UnsupportedProperty } =>
  Object.fromEntries(Object.entries(rows).map(([key, property]) => [key, unsupported(reason, property)])) as {
    readonly [Key in keyof Rows]: UnsupportedProperty
  }
