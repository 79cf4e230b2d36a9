import type { KeyObject } from 'node:crypto'
import type { CachedDomain } from './model.ts'

/** The domains that ZTS has in memory. Every answer is of one moment: a domain is replaced as a whole or not at all. */
export interface Domains {
  /** By lower-case name; undefined when it is unknown or disabled. */
  get(name: string): CachedDomain | undefined
  /** Names of all. */
  names(): Iterable<string>
  /** A registered public key of `domain.service` (lower case), parsed once. */
  publicKey(domain: string, service: string, keyId: string): KeyObject | undefined
  /** Full names of the services on a host. */
  servicesOnHost(host: string): readonly string[]
  /** Full name of the service with that OAuth client id. */
  serviceOfClient(clientId: string): string | undefined
  /** Calls after a domain was replaced or removed; gives the way to end that. */
  onChange(listener: (name: string) => void): () => void
}
