import { badRequest } from '#core/error/service-error.ts'
import type { Tags } from '../store/model.ts'
import { hasTag } from './tag-filter.ts'

/** Which part of a list is asked for. */
export interface PageQuery {
  /** In lower case. */
  readonly filter?: string | undefined
  readonly limit?: number | undefined
}

const LIMIT = { usual: 50, greatest: 500 }

/** How many are asked for; 400 for a number that is not from 1 to 500. */
export function pageLimit(api: string, limit: number | undefined): number {
  if (limit === undefined) return LIMIT.usual
  if (limit < 1 || limit > LIMIT.greatest) {
    throw badRequest(`${api}: limit must be from 1 to ${LIMIT.greatest}: ${limit}`)
  }
  return limit
}

/** Whether a text contains another one, which is in lower case, in any letter case; everything contains nothing. */
export const contains = (text: string | undefined, filter: string | undefined): boolean =>
  filter === undefined || (text?.toLowerCase().includes(filter) ?? false)

/** Where a page of a list begins and what it is sorted by. */
export interface PageOrder<T, K> {
  readonly limit: number
  /** Entries have greater keys. */
  readonly skip?: K | undefined
  /** Keys are distinct. */
  readonly keyOf: (entry: T) => K
}

/**
 * The first page of entries that are offered in any order: the `limit` with the least keys after `skip`, in ascending
 * order. Keeps about twice as many as it gives, however many are offered.
 */
export class KeysetPage<T, K extends string | number = string> {
  readonly #order: PageOrder<T, K>
  #kept: T[] = []
  /** No entry of the page has a greater key. */
  #last: K | undefined
  /** How many were offered. */
  total = 0

  constructor(order: PageOrder<T, K>) {
    this.#order = order
  }

  offer(entry: T): void {
    this.total++
    const { limit, skip, keyOf } = this.#order
    const key = keyOf(entry)
    if ((skip !== undefined && key <= skip) || (this.#last !== undefined && key > this.#last)) return
    this.#kept.push(entry)
    if (this.#kept.length > 2 * limit + 2) this.#cut()
  }

  /** The page; `next` is the key of its last entry when there are more. */
  get(): { readonly entries: readonly T[]; readonly next: K | undefined } {
    this.#cut()
    const { limit, keyOf } = this.#order
    if (this.#kept.length <= limit) return { entries: this.#kept, next: undefined }
    const entries = this.#kept.slice(0, limit)
    return { entries, next: keyOf(entries[limit - 1] as T) }
  }

  /** Leaves one more than the page has, which tells that there are more. */
  #cut(): void {
    const { limit, keyOf } = this.#order
    this.#kept.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
    if (this.#kept.length <= limit) return
    this.#kept.length = limit + 1
    this.#last = keyOf(this.#kept[limit] as T)
  }
}

/** Which named objects are asked for. */
export interface NamedQuery extends PageQuery {
  /** Name of the last object of the page before. */
  readonly skip?: string | undefined
  readonly tagKey?: string | undefined
  readonly tagValue?: string | undefined
}

/** A part of the named objects of a domain; `total` is how many pass the filters. */
export function namedPage<T extends { readonly name: string; readonly tags?: Tags }>(
  objects: Iterable<T>,
  query: NamedQuery & { readonly limit: number },
): { readonly entries: readonly T[]; readonly total: number; readonly next: string | undefined } {
  const page = new KeysetPage<T>({ limit: query.limit, skip: query.skip, keyOf: ({ name }) => name })
  for (const object of objects) {
    if (contains(object.name, query.filter) && hasTag(object.tags, query.tagKey, query.tagValue)) page.offer(object)
  }
  return { ...page.get(), total: page.total }
}
