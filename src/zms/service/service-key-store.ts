import type { KeyObject } from 'node:crypto'
import type { KeyStore } from '#core/authority/key-store.ts'
import { loadPublicKey } from '#core/crypto/keys.ts'
import type { Store } from '../store/store.ts'

/**
 * Public keys of services for the authorities: first this server's own keys (as `sys.auth.zms`), then those registered
 * in the store. Parsed keys are kept by their text, so that a changed registration is seen at once.
 */
export class ServiceKeyStore implements KeyStore {
  readonly #store: Store
  readonly #ownKeys: ReadonlyMap<string, KeyObject>
  readonly #parsed = new Map<string, KeyObject | undefined>()
  readonly #decryptCredentials: ((creds: string) => string | undefined) | undefined

  constructor(options: {
    store: Store
    /** Key id → public key of this server. */
    ownKeys: ReadonlyMap<string, KeyObject>
    /** Decrypts stored service credentials; absent when they are not supported. */
    decryptCredentials?: (creds: string) => string | undefined
  }) {
    this.#store = options.store
    this.#ownKeys = options.ownKeys
    this.#decryptCredentials = options.decryptCredentials
  }

  async publicKey(domainName: string, serviceName: string, keyId: string): Promise<KeyObject | undefined> {
    const [domain, service, id] = [domainName.toLowerCase(), serviceName.toLowerCase(), keyId.toLowerCase()]
    if (domain === 'sys.auth' && service === 'zms') {
      const own = this.#ownKeys.get(id)
      if (own) return own
    }
    const stored = await this.#store.domain(domain)
    if (!stored?.enabled) return undefined
    const text = stored.services.get(service)?.publicKeys.get(id)
    return text === undefined ? undefined : this.#parse(text)
  }

  async serviceSecret(domainName: string, serviceName: string): Promise<string | undefined> {
    if (!this.#decryptCredentials) return undefined
    const domain = await this.#store.domain(domainName.toLowerCase())
    const creds = domain?.enabled ? domain.services.get(serviceName.toLowerCase())?.creds : undefined
    return creds === undefined ? undefined : this.#decryptCredentials(creds)
  }

  #parse(text: string): KeyObject | undefined {
    if (this.#parsed.has(text)) return this.#parsed.get(text)
    const key = loadOrUndefined(text)
    if (this.#parsed.size >= MAX_PARSED_KEYS) this.#parsed.clear()
    this.#parsed.set(text, key)
    return key
  }
}

/** Bounds the memory that parsed keys take. */
const MAX_PARSED_KEYS = 10_000

function loadOrUndefined(text: string): KeyObject | undefined {
  try {
    return loadPublicKey(text)
  } catch {
    return undefined
  }
}
