import { LRUCache } from 'lru-cache'

/** Bytes that were signed, of one state of what they tell. */
interface Kept {
  readonly state: string
  readonly bytes: Buffer
}

/** Bytes that are being signed. */
interface Pending {
  readonly state: string
  readonly bytes: Promise<Buffer>
}

/** Most that is kept. */
const CACHE_BYTES = 32 * 1024 * 1024

/**
 * Keeps what was signed, within bounds, as the bytes that are sent, so that what has not changed costs nothing; those who
 * ask for the same at the same time share the work. A failure is told to those who have asked, and not kept.
 */
export class SignedBytes {
  readonly #kept = new LRUCache<string, Kept>({
    maxSize: CACHE_BYTES,
    sizeCalculation: ({ bytes }, key) => bytes.length + key.length,
  })
  readonly #pending = new Map<string, Pending>()

  /**
   * The bytes under a key (not empty) for a state of what they tell; `sign` makes the text when those kept are of another
   * one. The latest state asked for is the one that is kept.
   */
  get(key: string, state: string, sign: () => Promise<string>): Buffer | Promise<Buffer> {
    const kept = this.#kept.get(key)
    if (kept?.state === state) return kept.bytes
    const pending = this.#pending.get(key)
    if (pending?.state === state) return pending.bytes
    const current: Pending = { state, bytes: sign().then((text) => Buffer.from(text)) }
    this.#pending.set(key, current)
    void this.#keep(key, current)
    return current.bytes
  }

  async #keep(key: string, current: Pending): Promise<void> {
    const isLatest = () => this.#pending.get(key) === current
    try {
      const bytes = await current.bytes
      if (isLatest()) this.#kept.set(key, { state: current.state, bytes })
    } catch {
      // Those who have asked for it are told.
    } finally {
      if (isLatest()) this.#pending.delete(key)
    }
  }
}
