import type { Tags } from '../store/model.ts'

/** Whether an object carries the tag: the key, and among its values the one given; a value without a key filters nothing. */
export function hasTag(tags: Tags | undefined, key: string | undefined, value: string | undefined): boolean {
  if (key === undefined || key === '') return true
  const values = tags?.get(key)
  return values !== undefined && (value === undefined || value === '' || values.includes(value))
}
