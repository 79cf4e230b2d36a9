import type { KeyObject } from 'node:crypto'
import type { KeyStore } from '#core/authority/key-store.ts'
import type { Domains } from '../cache/domains.ts'

/** The public keys of the two servers themselves by key id, as athenz.conf has them now. */
export interface ServerKeys {
  readonly zmsPublicKeys: ReadonlyMap<string, KeyObject>
  readonly ztsPublicKeys: ReadonlyMap<string, KeyObject>
}

/** What a key store is made of. */
export interface ServiceKeyStoreOptions {
  readonly domains: Pick<Domains, 'get' | 'publicKey'>
  readonly serverKeys: () => ServerKeys
  /** Decrypts the credentials of services; absent when they are not supported. */
  readonly decryptCredentials?: ((creds: string) => string) | undefined
}

/** Public keys and secrets of services for the authorities: those of ZMS and ZTS from athenz.conf, then the registered ones. */
export class ServiceKeyStore implements KeyStore {
  readonly #domains: ServiceKeyStoreOptions['domains']
  readonly #serverKeys: () => ServerKeys
  readonly #decryptCredentials: ServiceKeyStoreOptions['decryptCredentials']

  constructor({ domains, serverKeys, decryptCredentials }: ServiceKeyStoreOptions) {
    this.#domains = domains
    this.#serverKeys = serverKeys
    this.#decryptCredentials = decryptCredentials
  }

  async publicKey(domainName: string, serviceName: string, keyId: string): Promise<KeyObject | undefined> {
    const [domain, service, id] = [domainName.toLowerCase(), serviceName.toLowerCase(), keyId.toLowerCase()]
    const own = domain === 'sys.auth' ? this.#serverKey(service, id) : undefined
    return own ?? this.#domains.publicKey(domain, service, id)
  }

  async serviceSecret(domainName: string, serviceName: string): Promise<string | undefined> {
    const domain = this.#domains.get(domainName.toLowerCase())
    const creds = domain?.services.get(serviceName.toLowerCase())?.creds
    return creds === undefined ? undefined : this.#decryptCredentials?.(creds)
  }

  #serverKey(service: string, id: string): KeyObject | undefined {
    const { zmsPublicKeys, ztsPublicKeys } = this.#serverKeys()
    if (service === 'zms') return withId(zmsPublicKeys, id)
    return service === 'zts' ? withId(ztsPublicKeys, id) : undefined
  }
}

/** By an id in lower case. The file may write it in another case. */
function withId(keys: ReadonlyMap<string, KeyObject>, id: string): KeyObject | undefined {
  const exact = keys.get(id)
  if (exact) return exact
  for (const [each, key] of keys) if (each.toLowerCase() === id) return key
  return undefined
}
