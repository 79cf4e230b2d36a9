import type { KeyObject } from 'node:crypto'
import { type PublicJsonWebKey, readJsonWebKeySet } from '../crypto/json-web-keys.ts'
import { JOSE_ALGORITHMS } from '../crypto/key-kind.ts'
import type { JwtHeader } from '../token/json-web-token.ts'
import type { JsonClient } from './json-client.ts'

/** Where keys are read from, and how often. */
export interface RemoteKeysOptions {
  readonly client: Pick<JsonClient, 'ask'>
  /** Address of the key set; a function is asked for it before each reading. */
  readonly url: URL | (() => Promise<URL>)
  /** Epoch milliseconds. */
  readonly now: () => number
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
  /** After this time keys are read again before they are used: a key that its owner withdrew is accepted so long at most. */
  readonly maxAgeMillis?: number
  /** How long keys that are over that age are used while their owner does not answer. */
  readonly outageMillis?: number
  /** Least time between two readings, whatever is asked for: unknown key ids cannot be used to flood the owner. */
  readonly coolDownMillis?: number
}

interface KeySet {
  readonly keys: readonly PublicJsonWebKey[]
  readonly readAt: number
}

const MINUTE_MILLIS = 60_000
const MAX_AGE_MILLIS = 10 * MINUTE_MILLIS
const OUTAGE_MILLIS = 60 * MINUTE_MILLIS
const COOL_DOWN_MILLIS = MINUTE_MILLIS / 2
/**
 * The public keys of somebody else, as a JSON web key set (RFC 7517) behind a URL: read when first needed, kept, and read
 * again when they are old or a token names one that is not among them, with one reading at a time for all who wait.
 */
export class RemoteKeys {
  readonly #options: Required<RemoteKeysOptions>
  #set: KeySet | undefined
  #triedAt = Number.NEGATIVE_INFINITY
  #reading: Promise<void> | undefined

  constructor(options: RemoteKeysOptions) {
    this.#options = {
      maxAgeMillis: MAX_AGE_MILLIS,
      outageMillis: OUTAGE_MILLIS,
      coolDownMillis: COOL_DOWN_MILLIS,
      ...options,
    }
  }

  /** Reads the keys now. Rejects with an Error that says why they cannot be had. */
  async load(): Promise<void> {
    this.#triedAt = this.#options.now()
    this.#set = { keys: await this.#fetch(), readAt: this.#options.now() }
  }

  /**
   * The key that fits the header of a token: of that id, or the only one of the algorithm when the token names none.
   * Undefined when there is none, and when the keys cannot be had.
   */
  async keyOf(header: JwtHeader): Promise<KeyObject | undefined> {
    const { now, maxAgeMillis } = this.#options
    if (this.#age(now()) >= maxAgeMillis) await this.#read()
    const found = this.#find(header)
    if (found !== undefined) return found
    await this.#read()
    return this.#find(header)
  }

  /** A clock that was set back makes the keys old, not young for ever. */
  #age(now: number): number {
    const readAt = this.#set?.readAt
    return readAt === undefined || now < readAt ? Number.POSITIVE_INFINITY : now - readAt
  }

  #find({ alg, kid }: JwtHeader): KeyObject | undefined {
    const { now, maxAgeMillis, outageMillis } = this.#options
    if (this.#set === undefined || this.#age(now()) >= maxAgeMillis + outageMillis) return undefined
    const kind = JOSE_ALGORITHMS.get(alg)?.kind
    const fitting = this.#set.keys.filter(
      (each) => each.kind === kind && (each.algorithm ?? alg) === alg && (kid === undefined || each.keyId === kid),
    )
    return fitting.length === 1 ? fitting[0]?.key : undefined
  }

  async #read(): Promise<void> {
    await (this.#reading ??= this.#readUnlessTooEarly().finally(() => {
      this.#reading = undefined
    }))
  }

  async #readUnlessTooEarly(): Promise<void> {
    const { now, log, coolDownMillis } = this.#options
    const time = now()
    if (time >= this.#triedAt && time - this.#triedAt < coolDownMillis) return
    this.#triedAt = time
    try {
      this.#set = { keys: await this.#fetch(), readAt: now() }
    } catch (error) {
      log('warn', `keys not read, those known stay for some time: ${(error as Error).message}`)
    }
  }

  async #fetch(): Promise<PublicJsonWebKey[]> {
    const { client, url } = this.#options
    const address = typeof url === 'function' ? await url() : url
    const { status, value } = await client.ask(address)
    if (status !== 200) throw new Error(`${address.href} answered with status ${status}`)
    const keys = readJsonWebKeySet(value)
    if (keys === undefined) throw new Error(`${address.href} gave no key set`)
    return keys
  }
}
