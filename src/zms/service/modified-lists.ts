import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Patience } from '#core/http/waiting-room.ts'
import type { Store } from '../store/store.ts'
import type { ChangeWatch, ModifiedDomain } from './change-watch.ts'

/**
 * Domains get their stamps before their changes can be seen, and servers commit side by side: a change may be seen after
 * one with a later stamp. By no more than this, or its transaction was given up.
 */
const OVERLAP_MILLIS = 10_000
/** Tags for which is remembered what was told with them. */
const MAX_TAGS = 1000

/**
 * Lists of modified domains for those who would rather wait than be told nothing new. A tag alone does not say what its
 * owner knows of the time just before it, so the lists begin some time before the tag; that there is nothing new is only
 * taken for granted when this very list was told together with the tag.
 */
export class ModifiedLists {
  readonly #store: Pick<Store, 'modifiedDomains'>
  readonly #watch: ChangeWatch
  /** Newest stamp of a list → digest of the part that the next list repeats. */
  readonly #told = new LRUCache<number, string>({ max: MAX_TAGS })

  constructor(store: Pick<Store, 'modifiedDomains'>, watch: ChangeWatch) {
    this.#store = store
    this.#watch = watch
  }

  /**
   * The domains modified since the tag (epoch milliseconds) and shortly before it, oldest first, as soon as that is news;
   * empty when it is none within the time, undefined when too many wait already.
   */
  async next(tag: number, patience: Patience): Promise<readonly ModifiedDomain[] | undefined> {
    const since = tag - OVERLAP_MILLIS
    const told = this.#told.get(tag)
    const isNews = (modified: readonly ModifiedDomain[]): boolean => {
      const listed = modified.filter((domain) => domain.modified >= since)
      if (listed.length === 0) return false
      return listed.some((domain) => domain.modified > tag) || digest(listed) !== told
    }
    let modified = await this.#store.modifiedDomains(since)
    if (!isNews(modified)) {
      const news = this.#watch.wait(since, isNews, patience)
      if (news === undefined) return undefined
      if (!(await news)) return []
      modified = await this.#store.modifiedDomains(since)
    }
    const newest = modified.at(-1)?.modified
    if (newest !== undefined) {
      const repeated = modified.filter((domain) => domain.modified >= newest - OVERLAP_MILLIS)
      this.#told.set(newest, digest(repeated))
    }
    return modified
  }
}

function digest(modified: readonly ModifiedDomain[]): string {
  const hash = createHash('sha256')
  for (const stamp of modified.map(({ name, modified: at }) => `${at} ${name}\n`).sort()) hash.update(stamp)
  return hash.digest('base64')
}
