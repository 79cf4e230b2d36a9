import type { KeyObject } from 'node:crypto'
import type { PropertyReader } from '../authority/authority.ts'

/** The server that asks for its own key. */
export type ServerService = 'zms' | 'zts' | 'ui'

/** A server's private key and the id under which its public key is known. */
export interface ServerPrivateKey {
  readonly key: KeyObject
  readonly keyId: string
}

/** What a private key store is made with, also one of the operator's own. */
export interface PrivateKeyStoreContext {
  readonly property: PropertyReader
  /** Relative paths count from here. */
  readonly rootDirectory: string
  /** A line for the server's log. */
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
}

/**
 * Where a server gets its private keys and secrets from. A plug-in: `athenz.zms.private_key_store_factory_class` and
 * its ZTS counterpart may name an ES module that exports an implementation, made with a {@link PrivateKeyStoreContext}.
 */
export interface PrivateKeyStore {
  /**
   * The key of one algorithm, or, without `algorithm`, the generic key, which may be of either; undefined when none is
   * configured. A key that is configured and cannot be used is an error.
   */
  privateKey(
    service: ServerService,
    host: string,
    region?: string,
    algorithm?: 'rsa' | 'ec',
  ): Promise<ServerPrivateKey | undefined>
  /** The secret that a property refers to by name (`…_password` with its `…_appname` and `…_keygroupname`). */
  applicationSecret(appName: string | undefined, keyGroup: string | undefined, keyName: string): Promise<string>
  /** Ends what it has opened. */
  close?(): Promise<void> | void
}
