import { ConfigError } from '../config/config-error.ts'
import type { PrivateKeyStore, ServerService } from './private-key-store.ts'
import { createSigner, type Signer } from './signing.ts'

/** Which key a purpose wants when a server has both, as the `key_algo_…` properties name it. */
export type KeyPreference = 'EC' | 'RSA'

/** The keys a server signs with. */
export interface ServerSigners {
  /** All of them, each with a different id: what the server publishes. */
  readonly all: readonly Signer[]
  /** The signer of the wanted algorithm, otherwise the one there is. EC unless said. */
  preferred(preference?: KeyPreference): Signer
}

/**
 * Loads a server's keys: the EC and the RSA key; the generic key, of either kind, only when there is neither.
 * Throws a ConfigError when there is no key at all, or when two keys have the same id.
 */
export async function loadServerSigners(
  store: PrivateKeyStore,
  service: ServerService,
  host: string,
  region?: string,
): Promise<ServerSigners> {
  const load = async (algorithm?: 'ec' | 'rsa') => {
    const loaded = await store.privateKey(service, host, region, algorithm)
    return loaded && createSigner(loaded.key, loaded.keyId)
  }
  const [ec, rsa] = await Promise.all([load('ec'), load('rsa')])
  const generic = ec || rsa ? undefined : await load()
  const first = ec ?? rsa ?? generic
  if (first === undefined) {
    throw new ConfigError([
      `${service}: no private key: the private key store has neither an EC, an RSA nor a generic key`,
    ])
  }
  if (ec && rsa && ec.keyId === rsa.keyId) {
    throw new ConfigError([
      `${service}: the EC and the RSA private key have the same id "${ec.keyId}", so that verifiers cannot tell which to use (give one of them another id, e.g. athenz.auth.private_key_store.private_ec_key_id=ec.1)`,
    ])
  }
  const order = { EC: [ec, rsa], RSA: [rsa, ec] }
  return {
    all: [ec, rsa, generic].filter((signer) => signer !== undefined),
    preferred: (preference = 'EC') => order[preference].find((signer) => signer !== undefined) ?? first,
  }
}
