/** What is kept of a token. */
export interface Expiring {
  /** Epoch seconds. */
  readonly expiryTimeSeconds: number
}

/**
 * What was found out about tokens, by their full text. A cache that is full takes no more until what has expired is taken
 * out of it, so that nobody with many tokens drives out those of others.
 */
export class TokenCache<T extends Expiring> {
  readonly #entries = new Map<string, T>()
  readonly #maxEntries: number

  /** `maxEntries` 0 is without limit. */
  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries === 0 ? Number.POSITIVE_INFINITY : maxEntries
  }

  get size(): number {
    return this.#entries.size
  }

  get(text: string): T | undefined {
    return this.#entries.get(text)
  }

  set(text: string, entry: T): void {
    if (this.#entries.size < this.#maxEntries || this.#entries.has(text)) this.#entries.set(text, entry)
  }

  removeExpired(nowSeconds: number): void {
    for (const [text, { expiryTimeSeconds }] of this.#entries) {
      if (expiryTimeSeconds < nowSeconds) this.#entries.delete(text)
    }
  }

  clear(): void {
    this.#entries.clear()
  }
}
