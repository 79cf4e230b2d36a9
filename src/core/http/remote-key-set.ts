import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { Agent, type Dispatcher } from 'undici'
import { findKeyKind } from '../crypto/key-kind.ts'
import { boundedText } from './bounded-body.ts'

/** Where the keys of an issuer are, and how they are fetched. */
export interface RemoteKeySetOptions {
  /** Address of the key set; or, when that is not known, the issuer whose OpenID configuration names it. */
  readonly location: { readonly keySet: string } | { readonly openIdConfiguration: string }
  readonly connectTimeoutMillis: number
  readonly readTimeoutMillis: number
  /** Epoch milliseconds. */
  readonly now: () => number
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
  /** Sends the requests; an agent of its own by default. */
  readonly dispatcher?: Dispatcher
}

const DOCUMENT_MAX_BYTES = 1_048_576
/** Keys of an issuer are looked at again after this time. */
const FRESH_MILLIS = 3_600_000
/** A token with an unknown key makes a new look at most so often. */
const COOLDOWN_MILLIS = 30_000

/** The public keys of an issuer by key id, fetched when they are needed. What was fetched last stays while it cannot be. */
export class RemoteKeySet {
  readonly #options: RemoteKeySetOptions
  readonly #dispatcher: Dispatcher
  #keys: ReadonlyMap<string, KeyObject> = new Map()
  #fetchedAt = Number.NEGATIVE_INFINITY
  #triedAt = Number.NEGATIVE_INFINITY
  #fetching: Promise<void> | undefined

  constructor(options: RemoteKeySetOptions) {
    this.#options = options
    const { connectTimeoutMillis, readTimeoutMillis } = options
    this.#dispatcher =
      options.dispatcher ??
      new Agent({
        connect: { timeout: connectTimeoutMillis },
        headersTimeout: readTimeoutMillis,
        bodyTimeout: readTimeoutMillis,
      })
  }

  /** The key with an id; undefined when the issuer does not have it, or cannot be reached. */
  async key(keyId: string | undefined): Promise<KeyObject | undefined> {
    if (keyId === undefined) return undefined
    const now = this.#options.now()
    const stale = now - this.#fetchedAt >= FRESH_MILLIS
    // Tokens of strangers must not be able to make a request each.
    if ((stale || !this.#keys.has(keyId)) && now - this.#triedAt >= COOLDOWN_MILLIS) await this.#refresh(now)
    else if (this.#fetching !== undefined) await this.#fetching
    return this.#keys.get(keyId)
  }

  async close(): Promise<void> {
    await this.#dispatcher.close()
  }

  #refresh(now: number): Promise<void> {
    this.#fetching ??= this.#fetch(now).finally(() => {
      this.#fetching = undefined
    })
    return this.#fetching
  }

  async #fetch(now: number): Promise<void> {
    const { location, log } = this.#options
    this.#triedAt = now
    try {
      const address = 'keySet' in location ? location.keySet : await this.#keySetAddress(location.openIdConfiguration)
      const keys = keysOf(await this.#document(address))
      if (keys.size === 0) throw new Error(`${address} has no key that can be used`)
      this.#keys = keys
      this.#fetchedAt = now
    } catch (error) {
      const where = 'keySet' in location ? location.keySet : location.openIdConfiguration
      log('error', `the keys at ${where} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  async #keySetAddress(configuration: string): Promise<string> {
    const { jwks_uri: address } = await this.#document(configuration)
    if (typeof address !== 'string' || !URL.canParse(address)) throw new Error(`${configuration} names no jwks_uri`)
    // Whoever can change the document in transit could otherwise choose the keys.
    if (configuration.startsWith('https:') && !address.startsWith('https:')) {
      throw new Error(`${configuration} names a jwks_uri without TLS`)
    }
    return address
  }

  async #document(address: string): Promise<{ keys?: unknown; jwks_uri?: unknown }> {
    const { connectTimeoutMillis, readTimeoutMillis } = this.#options
    const url = new URL(address)
    const { statusCode, body } = await this.#dispatcher.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: 'GET',
      headers: { accept: 'application/json' },
      // An answer that trickles in would otherwise never end.
      signal: AbortSignal.timeout(connectTimeoutMillis + readTimeoutMillis),
    })
    const text = await boundedText(body, DOCUMENT_MAX_BYTES)
    if (statusCode !== 200) throw new Error(`${address} answered with status ${statusCode}`)
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) throw new Error(`${address} is no JSON object`)
    return value
  }
}

/** Keys that cannot sign a token, or have no id, are passed over. */
function keysOf({ keys }: { keys?: unknown }): Map<string, KeyObject> {
  const found = new Map<string, KeyObject>()
  for (const member of Array.isArray(keys) ? (keys as unknown[]) : []) {
    const jwk = member as JsonWebKey | null
    const keyId = jwk?.['kid']
    if (typeof keyId !== 'string' || jwk?.kty === 'oct') continue
    try {
      // A private key that somebody published by mistake is no key to trust.
      if (jwk?.d !== undefined) continue
      const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' })
      if (typeof findKeyKind(key, 'jose') !== 'string') found.set(keyId, key)
    } catch {
      // Of a kind that is not supported.
    }
  }
  return found
}
