/** With more entries, hashing pays. */
const MOST_FLAT = 8
const NOTHING: readonly never[] = Object.freeze([])

/**
 * A map for the many maps that hold no or a few entries (versions of a policy, keys of a service, requests that await a
 * decision): a quarter of the memory of a Map then, and the same behaviour at any size. Entries are in order of
 * insertion. While it is small, an iteration goes over the entries that there were when it began. Not an instance of Map.
 */
export class SmallMap<K extends string | number, V> implements Map<K, V> {
  /** Keys and values by turns, never modified but replaced; a Map once there are many. */
  #entries: readonly (K | V)[] | Map<K, V> = NOTHING

  constructor(entries: Iterable<readonly [K, V]> = NOTHING) {
    const flat: (K | V)[] = []
    let large: Map<K, V> | undefined
    for (const [key, value] of entries) {
      const at = large ? -1 : placeOf(flat, key)
      if (at >= 0) flat[at + 1] = value
      else if (!large && flat.length < 2 * MOST_FLAT) flat.push(key, value)
      else large = (large ?? new Map(flatEntries<K, V>(flat))).set(key, value)
    }
    if (large) this.#entries = large
    // A copy, because an array that grew has room to spare.
    else if (flat.length > 0) this.#entries = flat.slice()
  }

  get size(): number {
    return isFlat(this.#entries) ? this.#entries.length / 2 : this.#entries.size
  }

  get(key: K): V | undefined {
    const entries = this.#entries
    if (!isFlat(entries)) return entries.get(key)
    const at = placeOf(entries, key)
    return at < 0 ? undefined : (entries[at + 1] as V)
  }

  has(key: K): boolean {
    const entries = this.#entries
    return isFlat(entries) ? placeOf(entries, key) >= 0 : entries.has(key)
  }

  set(key: K, value: V): this {
    const entries = this.#entries
    if (!isFlat(entries)) {
      entries.set(key, value)
      return this
    }
    const at = placeOf(entries, key)
    if (at >= 0) this.#entries = entries.with(at + 1, value)
    else if (this.size < MOST_FLAT) this.#entries = entries.toSpliced(entries.length, 0, key, value)
    else this.#entries = new Map(this.entries()).set(key, value)
    return this
  }

  delete(key: K): boolean {
    const entries = this.#entries
    if (!isFlat(entries)) return entries.delete(key)
    const at = placeOf(entries, key)
    if (at >= 0) this.#entries = entries.length === 2 ? NOTHING : entries.toSpliced(at, 2)
    return at >= 0
  }

  clear(): void {
    this.#entries = NOTHING
  }

  forEach(callback: (value: V, key: K, map: Map<K, V>) => void, self?: unknown): void {
    for (const [key, value] of this) callback.call(self, value, key, this)
  }

  entries(): MapIterator<[K, V]> {
    return isFlat(this.#entries) ? flatEntries<K, V>(this.#entries) : this.#entries.entries()
  }

  keys(): MapIterator<K> {
    return isFlat(this.#entries) ? flatItems<K>(this.#entries as readonly K[], 0) : this.#entries.keys()
  }

  values(): MapIterator<V> {
    return isFlat(this.#entries) ? flatItems<V>(this.#entries as readonly V[], 1) : this.#entries.values()
  }

  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.entries()
  }

  get [Symbol.toStringTag](): string {
    return 'Map'
  }
}

const isFlat = <K, V>(entries: readonly (K | V)[] | Map<K, V>): entries is readonly (K | V)[] => Array.isArray(entries)

function placeOf(entries: readonly unknown[], key: unknown): number {
  for (let at = 0; at < entries.length; at += 2) if (entries[at] === key) return at
  return -1
}

function* flatEntries<K, V>(entries: readonly (K | V)[]): Generator<[K, V], undefined> {
  for (let at = 0; at < entries.length; at += 2) yield [entries[at] as K, entries[at + 1] as V]
}

function* flatItems<T>(entries: readonly T[], offset: 0 | 1): Generator<T, undefined> {
  for (let at = offset; at < entries.length; at += 2) yield entries[at] as T
}
