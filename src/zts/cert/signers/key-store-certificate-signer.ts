import { ConfigError } from '#core/config/config-error.ts'
import type { ConfigOf } from '#core/config/server-tables.ts'
import { createSigner } from '#core/crypto/signing.ts'
import { messageOf } from '#core/error/message-of.ts'
import type { StoreContents, StoreKey } from '#core/http/store-contents.ts'
import { readStoreFile } from '#core/http/tls-material.ts'
import { LocalCertificateSigner, type LocalSigningRules } from './local-certificate-signer.ts'

const PROPERTY = 'athenz.zts.keystore_signer.keystore_path'

/** A signer with key and certificate from a PKCS#12 file. Throws a ConfigError that names what cannot be used. */
export async function openKeyStoreCertificateSigner(
  { zts }: Pick<ConfigOf['zts'], 'zts'>,
  rules: LocalSigningRules,
): Promise<LocalCertificateSigner> {
  const file = zts.keystoreSignerKeystorePath
  const password = zts.keystoreSignerKeystorePassword
  if (file === undefined) throw new ConfigError([`${PROPERTY}: not set, and the key store signer needs a key store`])
  try {
    const contents = await readStoreFile({ file, ...(password !== undefined && { password }) })
    const { key } = keyOf(contents, zts.keystoreSignerKeystoreCaAlias)
    const certificate = contents.certificates.find((candidate) => candidate.checkPrivateKey(key))
    if (certificate === undefined) throw new Error('no certificate belongs to the private key')
    return new LocalCertificateSigner(certificate, createSigner(key, 'authority', 'certificate'), rules)
  } catch (cause) {
    const reason = messageOf(cause)
    throw Object.assign(new ConfigError([`${PROPERTY}: ${file} cannot be used: ${reason}`]), { cause })
  }
}

/** Entries without a name have numbers from 1 on, as the peer's key stores call them; letter case does not matter. */
function keyOf({ keys }: StoreContents, alias: string): StoreKey {
  const named = keys.find((entry) => entry.alias.toLowerCase() === alias.toLowerCase())
  const found = named ?? keys.filter((entry) => entry.alias === '')[Number(alias) - 1]
  if (found !== undefined) return found
  const names = keys.map((entry) => entry.alias || 'an entry without name').join(', ')
  throw new Error(`there is no private key "${alias}"${names === '' ? '' : `, only ${names}`}`)
}
