import type { ResourceOwnership, Tags } from '../store/model.ts'

/** Forms that several kinds of objects share on the wire. */

/** A time as the API writes it; undefined stays undefined. */
export function timestamp(epochMillis: number | undefined): string | undefined {
  return epochMillis === undefined ? undefined : new Date(epochMillis).toISOString()
}

/** Tags as the API writes them; none when there are none. */
export function tagsReply(tags: Tags | undefined): Record<string, { list: string[] }> | undefined {
  if (!tags || tags.size === 0) return undefined
  return Object.fromEntries([...tags].map(([key, list]) => [key, { list: [...list] }]))
}

/** Tags of a request. One without values is none: no quota would count it. */
export function tagsOf(input: ReadonlyMap<string, { list: readonly string[] }>): Tags {
  return new Map([...input].flatMap(([key, { list }]) => (list.length > 0 ? [[key, [...new Set(list)]]] : [])))
}

/** Names of the owners on the wire by the component they own. */
const OWNER_MEMBERS = new Map([
  ['object', 'objectOwner'],
  ['meta', 'metaOwner'],
  ['members', 'membersOwner'],
  ['assertions', 'assertionsOwner'],
  ['publickeys', 'publicKeysOwner'],
  ['hosts', 'hostsOwner'],
])

/** Ownership as the API writes it; none when nothing is owned. */
export function ownershipReply(ownership: ResourceOwnership | undefined): Record<string, string> | undefined {
  if (!ownership || ownership.size === 0) return undefined
  const entries = [...ownership].flatMap(([component, owner]) => {
    const member = OWNER_MEMBERS.get(component)
    return member === undefined ? [] : [[member, owner] as const]
  })
  return Object.fromEntries(entries)
}

/** Ownership of a request; undefined when it names no owner. */
export function ownershipOf(input: Readonly<Record<string, string | undefined>>): ResourceOwnership | undefined {
  const ownership = new Map<string, string>()
  for (const [component, member] of OWNER_MEMBERS) {
    const owner = input[member]
    if (owner !== undefined && owner !== '') ownership.set(component, owner)
  }
  return ownership.size > 0 ? ownership : undefined
}

/** The text, number or flag, or undefined when it stands for absent: empty, 0 or false. */
export function present<T extends string | number | boolean>(value: T | undefined): T | undefined {
  return value === undefined || value === '' || value === 0 || value === false ? undefined : value
}

/** A copy without the members that are undefined. */
export function compact<T extends object>(value: T): T {
  const kept: Partial<T> = {}
  // Names of the model or the API, never of a request. A loop, because this is done for every member of every role.
  for (const name of Object.keys(value) as (keyof T)[]) if (value[name] !== undefined) kept[name] = value[name]
  return kept as T
}

/** A setting after a request: what the request gives (`''`, `0` and `false` clear it), or what is stored. */
export function changed<T extends string | number | boolean>(
  given: T | undefined,
  stored: T | undefined,
): T | undefined {
  return given === undefined ? stored : present(given)
}
