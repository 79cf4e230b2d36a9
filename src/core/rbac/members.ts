import { isGroupName } from '../names/principal-name.ts'
import { splitResourceName } from '../names/resource-name.ts'

/** One membership of a role or group. Callers keep their own richer entries; the engine reads these members of it. */
export interface MemberEntry {
  /** Full name of a principal or group, `*`, or a prefix followed by `*`. */
  memberName: string
  /** Epoch milliseconds from which on the membership no longer counts; undefined means never. */
  expiration?: number
  /** Bits set while the membership is suspended; 0 and undefined mean it is not. */
  systemDisabled?: number
}

/** A member `*` or `prefix*`. */
export interface WildcardMember<M extends MemberEntry = MemberEntry> {
  readonly entry: M
  /** Lower-case text that a member's name must begin with; empty for `*`. */
  readonly prefix: string
}

/** A member that is a group. */
export interface GroupReference<M extends MemberEntry = MemberEntry> {
  readonly entry: M
  /** Lower-case domain of the group. */
  readonly domain: string
  /** Lower-case local name of the group. */
  readonly group: string
}

/** What the engine needs of the members of a role or group. */
export interface MembersView<M extends MemberEntry = MemberEntry> {
  readonly size: number
  /** The entry of that very name, wildcards and groups included; `name` must be lower case. */
  getFolded(name: string): M | undefined
  readonly wildcards: readonly WildcardMember<M>[]
  readonly groups: readonly GroupReference<M>[]
}

const NONE: readonly never[] = Object.freeze([])
/** Up to so many members are kept in an array, which is smaller than a Map and no slower to search. */
const SMALL_SIZE = 8
/** Bits of a tag; two numbers that take no memory of their own hold those of a short array. */
const TAG_BITS = 7
const TAG_MASK = 2 ** TAG_BITS - 1
const TAGS_PER_NUMBER = SMALL_SIZE / 2

/**
 * The members of a role or group by name: an ordered map whose keys ignore letter case. Lookup, insertion and removal
 * take constant time whatever the size; wildcard and group members are also kept apart, so that whether a principal is
 * a member costs one lookup plus those few. Iteration is in order of insertion; setting a name again keeps its place.
 */
export class Members<M extends MemberEntry = MemberEntry> implements MembersView<M>, Iterable<M> {
  /** An array only while it is short and every name in it is lower case, so that names compare as they are. */
  #entries: M[] | Map<string, M> = []
  /** Tags of the names in the array, the first in the lowest bits: entries with another tag need not be looked at. */
  #lowTags = 0
  #highTags = 0
  #wildcards: WildcardMember<M>[] | undefined
  #groups: GroupReference<M>[] | undefined

  constructor(entries: Iterable<M> = NONE) {
    for (const entry of entries) this.set(entry)
  }

  get size(): number {
    return Array.isArray(this.#entries) ? this.#entries.length : this.#entries.size
  }

  get wildcards(): readonly WildcardMember<M>[] {
    return this.#wildcards ?? NONE
  }

  get groups(): readonly GroupReference<M>[] {
    return this.#groups ?? NONE
  }

  /** The entry of that name in any letter case. */
  get(name: string): M | undefined {
    return this.getFolded(name.toLowerCase())
  }

  getFolded(name: string): M | undefined {
    const entries = this.#entries
    if (!Array.isArray(entries)) return entries.get(name)
    const tag = tagOf(name)
    let tags = this.#lowTags
    for (let place = 0; place < entries.length; place++) {
      if (place === TAGS_PER_NUMBER) tags = this.#highTags
      if ((tags & TAG_MASK) === tag) {
        const entry = entries[place] as M
        if (entry.memberName === name) return entry
      }
      tags >>>= TAG_BITS
    }
    return undefined
  }

  has(name: string): boolean {
    return this.get(name) !== undefined
  }

  /** Adds the entry, or replaces the one of the same name. The entry's name must not change afterwards. */
  set(entry: M): this {
    const name = entry.memberName.toLowerCase()
    const former = this.getFolded(name)
    if (former !== undefined) this.#unindex(former)
    this.#store(name, entry, former)
    this.#index(name, entry)
    return this
  }

  /** Removes the entry of that name in any letter case; false when there is none. */
  delete(name: string): boolean {
    const folded = name.toLowerCase()
    const former = this.getFolded(folded)
    if (former === undefined) return false
    this.#unindex(former)
    if (Array.isArray(this.#entries)) {
      this.#entries.splice(this.#entries.indexOf(former), 1)
      this.#lowTags = 0
      this.#highTags = 0
      for (const [place, entry] of this.#entries.entries()) this.#tag(place, entry.memberName)
    } else {
      this.#entries.delete(folded)
    }
    return true
  }

  values(): IterableIterator<M> {
    return this.#entries.values()
  }

  [Symbol.iterator](): IterableIterator<M> {
    return this.values()
  }

  #store(name: string, entry: M, former: M | undefined): void {
    if (Array.isArray(this.#entries)) {
      const fits = former !== undefined || this.#entries.length < SMALL_SIZE
      if (fits && entry.memberName === name) {
        if (former === undefined) {
          this.#tag(this.#entries.length, name)
          // Gives an array as long as it must be; push and spread make room for sixteen more.
          this.#entries = this.#entries.concat([entry])
        } else {
          this.#entries[this.#entries.indexOf(former)] = entry
        }
        return
      }
      this.#entries = new Map(this.#entries.map((each) => [each.memberName, each]))
    }
    this.#entries.set(name, entry)
  }

  /** Notes the tag of a name that has none yet. */
  #tag(place: number, name: string): void {
    if (place < TAGS_PER_NUMBER) this.#lowTags |= tagOf(name) << (place * TAG_BITS)
    else this.#highTags |= tagOf(name) << ((place - TAGS_PER_NUMBER) * TAG_BITS)
  }

  #index(name: string, entry: M): void {
    if (isGroupName(name)) {
      const parts = splitResourceName('group', name)
      if (parts !== undefined) this.#groups = append(this.#groups, { entry, domain: parts.domain, group: parts.name })
    } else if (name.endsWith('*')) {
      this.#wildcards = append(this.#wildcards, { entry, prefix: name.slice(0, -1) })
    }
  }

  #unindex(former: M): void {
    if (isGroupName(former.memberName.toLowerCase())) this.#groups = without(this.#groups, former)
    else if (former.memberName.endsWith('*')) this.#wildcards = without(this.#wildcards, former)
  }
}

/** A few bits of a name; names that differ at their end or in their length mostly have others. */
function tagOf(name: string): number {
  let hash = name.length
  for (let at = Math.max(0, name.length - 4); at < name.length; at++) hash = Math.imul(hash, 31) + name.charCodeAt(at)
  return (hash ^ (hash >>> TAG_BITS)) & TAG_MASK
}

function append<T>(list: T[] | undefined, item: T): T[] {
  if (list === undefined) return [item]
  list.push(item)
  return list
}

function without<T extends { entry: MemberEntry }>(list: T[] | undefined, entry: MemberEntry): T[] | undefined {
  const rest = list?.filter((item) => item.entry !== entry)
  return rest?.length ? rest : undefined
}
