import { loadPublicKey } from '#core/crypto/keys.ts'
import type { Signer } from '#core/crypto/signing.ts'
import type { Store } from '../store/store.ts'

/**
 * Why others cannot verify what this server signs, in words for its operator: the public key is not registered with
 * `sys.auth.zms`, or another one is under its id. Undefined when all is well, or there is no such service yet.
 */
export async function signingKeyProblem(
  store: Pick<Store, 'domain'>,
  { keyId, publicKey }: Pick<Signer, 'keyId' | 'publicKey'>,
): Promise<string | undefined> {
  const service = (await store.domain('sys.auth'))?.services.get('zms')
  if (service === undefined) return undefined
  const registered = service.publicKeys.get(keyId.toLowerCase())
  if (registered !== undefined && isKey(registered, publicKey)) return undefined
  const problem =
    registered === undefined
      ? `the key ${keyId}, which domains are signed with, is not among the public keys of sys.auth.zms`
      : `the key ${keyId}, which domains are signed with, is another one than sys.auth.zms has under this id`
  return `${problem}: ZTS and others who have it from nowhere else cannot verify them (zms-cli -d sys.auth add-public-key zms ${keyId} FILE)`
}

function isKey(text: string, key: Signer['publicKey']): boolean {
  try {
    return loadPublicKey(text).equals(key)
  } catch {
    return false
  }
}
