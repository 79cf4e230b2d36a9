import { ConfigError, problemLine } from './config-error.ts'
import { nearestName } from './nearest-name.ts'
import type { PropertyEntry } from './properties.ts'
import type { Property, UnsupportedProperty } from './property.ts'

/** A property of a library, and the option that it sets. */
export type OptionRow<Option extends string = string> =
  | readonly [option: Option, property: Property]
  | UnsupportedProperty

/** Properties of a library by their full names. */
export type OptionRows<Option extends string = string> = Readonly<Record<string, OptionRow<Option>>>

/** Options as properties set them, and what is to be said about those that have no effect. */
export interface OptionsReading<Option extends string> {
  /** Those that are set. Sets are lists. */
  readonly options: ReadonlyMap<Option, unknown>
  /** Lines `ORIGIN: KEY: REASON`. */
  readonly warnings: readonly string[]
}

/**
 * Makes options of the properties that a library has, and warns of those under its prefixes that it does not know; those of
 * others are passed over.
 * @throws ConfigError that lists every value that cannot be used
 */
export function optionsOf<Option extends string>(
  entries: ReadonlyMap<string, PropertyEntry>,
  { rows, prefixes }: { readonly rows: OptionRows<Option>; readonly prefixes: readonly string[] },
): OptionsReading<Option> {
  const options = new Map<Option, unknown>()
  const problems: string[] = []
  const warnings: string[] = []
  for (const [key, { value, origin, problem }] of entries) {
    const row = Object.hasOwn(rows, key) ? rows[key] : undefined
    if (row === undefined) {
      if (prefixes.some((prefix) => key.startsWith(prefix))) {
        warnings.push(problemLine(origin, key, unknownText(key, Object.keys(rows))))
      }
      continue
    }
    if ('supported' in row) {
      warnings.push(problemLine(origin, key, `has no effect: ${row.supported}`))
      continue
    }
    const [option, { type, form }] = row
    if (problem !== undefined) problems.push(problemLine(origin, key, problem))
    else if (value.trim() !== '' || form === 'value') {
      const parsed = type.safeParse(value)
      if (parsed.success) options.set(option, parsed.data instanceof Set ? [...parsed.data] : parsed.data)
      else problems.push(problemLine(origin, key, parsed.error.issues.map(({ message }) => message).join('; ')))
    }
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return { options, warnings }
}

function unknownText(key: string, known: readonly string[]): string {
  const nearest = nearestName(key, known)
  return nearest === undefined ? 'is not known (remove the line)' : `is not known (did you mean ${nearest}?)`
}
