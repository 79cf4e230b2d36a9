import { parseTimestamp } from '#core/http/wire.ts'

/** What a domain has is not what its type says. The message names the place. */
export class MalformedDomain extends Error {}

/** A JSON object whose members are read by names of the API, never by names from elsewhere. */
export type JsonObject = Readonly<Record<string, unknown>>

/** The value as an object. Throws {@link MalformedDomain} that calls it `place`. */
export function objectAt(value: unknown, place: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject
  throw new MalformedDomain(`${place} is no object`)
}

/** A list of objects; absent and null are empty. */
export function objectsAt(object: JsonObject, name: string): readonly JsonObject[] {
  const value = listAt(object, name) ?? []
  for (const item of value) objectAt(item, `an item of ${name}`)
  return value as readonly JsonObject[]
}

/** A list of texts; undefined when absent or null. */
export function textsAt(object: JsonObject, name: string): readonly string[] | undefined {
  const value = listAt(object, name)
  if (value?.some((item) => typeof item !== 'string')) throw new MalformedDomain(`an item of ${name} is no text`)
  return value as readonly string[] | undefined
}

/** A text that must be there. */
export function textAt(object: JsonObject, name: string): string {
  const value = object[name]
  if (typeof value === 'string') return value
  throw new MalformedDomain(`${name} is ${value === undefined || value === null ? 'missing' : 'no text'}`)
}

/** A text; undefined when absent, null or empty. */
export function optionalTextAt(object: JsonObject, name: string): string | undefined {
  const value = object[name]
  if (value === undefined || value === null || value === '') return undefined
  return textAt(object, name)
}

/** A number; undefined when absent or null. */
export function optionalNumberAt(object: JsonObject, name: string): number | undefined {
  const value = object[name]
  if (value === undefined || value === null) return undefined
  if (typeof value === 'number') return value
  throw new MalformedDomain(`${name} is no number`)
}

/** A flag; undefined when absent or null. */
export function optionalFlagAt(object: JsonObject, name: string): boolean | undefined {
  const value = object[name]
  if (value === undefined || value === null) return undefined
  if (typeof value === 'boolean') return value
  throw new MalformedDomain(`${name} is neither true nor false`)
}

/** A time in epoch milliseconds; undefined when absent or null. */
export function optionalTimeAt(object: JsonObject, name: string): number | undefined {
  const value = object[name]
  if (value === undefined || value === null) return undefined
  const millis = typeof value === 'string' ? parseTimestamp(value) : undefined
  if (millis !== undefined) return millis
  throw new MalformedDomain(`${name} is no timestamp`)
}

function listAt(object: JsonObject, name: string): readonly unknown[] | undefined {
  const value = object[name]
  if (value === undefined || value === null) return undefined
  if (Array.isArray(value)) return value
  throw new MalformedDomain(`${name} is no list`)
}
