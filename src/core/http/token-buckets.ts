/** How fast something may happen again and again, for each key. */
export interface TokenBucketsOptions {
  readonly perSecond: number
  /** How many may come at once after a pause; at least 1. */
  readonly burst: number
  /** Keys that are remembered; with more of them the least recent ones start afresh. */
  readonly maxKeys: number
  /** Processes that take of the same buckets and charge each other with it; 1 when absent. */
  readonly sharers?: number
  /** Told of every key for which a token was taken. */
  readonly onTaken?: ((key: string) => void) | undefined
}

const MILLIS_PER_SECOND = 1000

/**
 * Token buckets, one for each key. Of a bucket only the time is kept at which it will be full again (the generic cell
 * rate algorithm), and nothing of full ones: keys live in two generations, of which the older one is dropped when all of
 * its buckets are full, or when there are too many keys.
 */
export class TokenBuckets {
  readonly #intervalMillis: number
  /** How far ahead of the present the time of an admitted event may be. */
  readonly #slackMillis: number
  /** How far ahead it can get by what others have taken. */
  readonly #longestMillis: number
  readonly #maxPerGeneration: number
  readonly #onTaken: ((key: string) => void) | undefined
  #young = new Map<string, number>()
  #old = new Map<string, number>()
  #turnsAt = Number.NEGATIVE_INFINITY

  constructor({ perSecond, burst, maxKeys, sharers = 1, onTaken }: TokenBucketsOptions) {
    this.#intervalMillis = MILLIS_PER_SECOND / perSecond
    this.#slackMillis = (Math.max(burst, 1) - 1) * this.#intervalMillis
    // Before they hear of each other, each of them may give all that there is.
    this.#longestMillis = (this.#slackMillis + this.#intervalMillis) * sharers
    this.#maxPerGeneration = Math.max(1, Math.floor(maxKeys / 2))
    this.#onTaken = onTaken
  }

  /** Takes a token: 0 when there was one, otherwise the milliseconds until there is. `nowMillis` must not go back. */
  take(key: string, nowMillis: number): number {
    if (nowMillis >= this.#turnsAt || this.#young.size >= this.#maxPerGeneration) this.#turn(nowMillis)
    const fullAt = this.#fullAt(key, nowMillis)
    const aheadMillis = fullAt - nowMillis - this.#slackMillis
    if (aheadMillis > 0) return aheadMillis
    this.#young.set(key, fullAt + this.#intervalMillis)
    this.#onTaken?.(key)
    return 0
  }

  /** Takes the tokens that others have given out of this bucket, whether there are any or not. */
  charge(key: string, tokens: number, nowMillis: number): void {
    if (nowMillis >= this.#turnsAt || this.#young.size >= this.#maxPerGeneration) this.#turn(nowMillis)
    this.#young.set(key, this.#fullAt(key, nowMillis) + tokens * this.#intervalMillis)
  }

  /** The milliseconds until there is a token, without taking it. */
  wait(key: string, nowMillis: number): number {
    return Math.max(0, this.#fullAt(key, nowMillis) - nowMillis - this.#slackMillis)
  }

  /** Keys that are remembered now. */
  get size(): number {
    return this.#young.size + this.#old.size
  }

  #fullAt(key: string, nowMillis: number): number {
    const known = this.#young.get(key) ?? this.#old.get(key)
    return known === undefined || known < nowMillis ? nowMillis : known
  }

  #turn(nowMillis: number): void {
    this.#old = this.#young
    this.#young = new Map()
    // The buckets of the old generation, of which none was touched since, are full when the next one begins.
    this.#turnsAt = nowMillis + this.#longestMillis
  }
}
