import type { KeyObject } from 'node:crypto'

/** Public keys of services, as authorities need them to verify tokens. */
export interface KeyStore {
  /**
   * The public key `keyId` of `domain.service`; undefined when the domain, service or key is missing, the domain is
   * disabled, or the stored text is not a key. Arguments are lowered by the store.
   */
  publicKey(domain: string, service: string, keyId: string): Promise<KeyObject | undefined>
  /** The secret (credentials) of a service for HMAC-signed tokens; undefined when there is none. */
  serviceSecret?(domain: string, service: string): Promise<string | undefined>
}
