import type { Tags } from './collection-text.ts'

/** The tags after values were added to a key; those that it has are not added again. */
export function withTagValues(tags: Tags | undefined, key: string, values: readonly string[]): Tags {
  const merged = new Set([...(valuesOf(tags, key) ?? []), ...values])
  return Object.fromEntries([...Object.entries(tags ?? {}), [key, { list: [...merged] }]])
}

/**
 * The tags without a value of a key, or without all its values. The key stays with an empty list, since the server takes
 * an empty map for no change.
 */
export function withoutTagValue(tags: Tags | undefined, key: string, value: string | undefined): Tags {
  const left = value === undefined ? [] : (valuesOf(tags, key) ?? []).filter((each) => each !== value)
  return Object.fromEntries([...Object.entries(tags ?? {}), [key, { list: left }]])
}

const valuesOf = (tags: Tags | undefined, key: string): readonly string[] | undefined =>
  tags !== undefined && Object.hasOwn(tags, key) ? tags[key]?.list : undefined
