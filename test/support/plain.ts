/**
 * A value in which maps, sets and member lists are plain sorted data, so that two of them compare by content: the order
 * of unordered things, absent members and what only exists in memory (`policiesRevision`, `rowId`) are left out.
 */
export function plain(value: unknown): unknown {
  if (isMap(value)) {
    return Object.fromEntries(
      [...value.entries()].map(([key, item]) => [String(key), plain(item)] as const).sort(byFirst),
    )
  }
  if (Array.isArray(value)) return value.map(plain).sort(byText)
  if (typeof value !== 'object' || value === null) return value
  if (Symbol.iterator in value) return [...(value as Iterable<unknown>)].map(plain).sort(byText)
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, item]) => item !== undefined && !MEMORY_ONLY.has(key))
      .map(([key, item]) => [key, plain(item)] as const)
      .sort(byFirst),
  )
}

const isMap = (value: unknown): value is ReadonlyMap<unknown, unknown> =>
  typeof value === 'object' && value !== null && 'entries' in value && 'get' in value

const MEMORY_ONLY: ReadonlySet<string> = new Set(['policiesRevision', 'rowId'])
const byFirst = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]) => (a < b ? -1 : 1)
const byText = (a: unknown, b: unknown) => {
  const [first, second] = [JSON.stringify(a), JSON.stringify(b)]
  return first < second ? -1 : Number(first > second)
}
