import { CommandFailure } from '../command-failure.ts'

/** An object whose members are not known yet. */
export type Fields = Readonly<Record<string, unknown>>

/** Whether a value is an object with members. */
export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)

/** A member of an object; undefined for those that every object inherits. */
export const field = (fields: Fields, name: string): unknown => (Object.hasOwn(fields, name) ? fields[name] : undefined)

/** A member that is a text. */
export function textField(fields: Fields, name: string): string | undefined {
  const value = field(fields, name)
  return typeof value === 'string' ? value : undefined
}

/** A single value as text; undefined for objects and lists. */
export function plainText(value: unknown): string | undefined {
  if (value instanceof Date) return value.toISOString()
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined
}

/** Tags as the interface has them, `{key: {list: […]}}`, as lists; undefined when there are none. */
export function tagsFromWire(value: unknown): Readonly<Record<string, readonly string[]>> | undefined {
  if (!isFields(value)) return undefined
  const entries = Object.entries(value).flatMap(([key, tag]) => {
    const list = isFields(tag) ? field(tag, 'list') : undefined
    return Array.isArray(list) ? [[key, list as string[]] as const] : []
  })
  return entries.length === 0 ? undefined : Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** The way back. Throws a CommandFailure for what is no object of lists of texts. */
export function tagsToWire(value: unknown): Readonly<Record<string, { readonly list: string[] }>> {
  if (!isFields(value)) throw new CommandFailure('tags are no object')
  return Object.fromEntries(
    Object.entries(value).map(([key, list]) => {
      const texts = (Array.isArray(list) ? list : [list]).map(plainText)
      if (texts.some((text) => text === undefined))
        throw new CommandFailure(`the values of the tag ${key} are no texts`)
      return [key, { list: texts as string[] }]
    }),
  )
}
