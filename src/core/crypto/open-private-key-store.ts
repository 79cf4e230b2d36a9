import { loadPlugIn, missingMethods } from '../config/plug-in.ts'
import type { LoadedConfig } from '../config/server-config.ts'
import { FilePrivateKeyStore } from './file-private-key-store.ts'
import type { PrivateKeyStore } from './private-key-store.ts'
import { createSecretBox, type SecretBox } from './secret-box.ts'

/** Which private key store a server has. */
export interface PrivateKeyStoreSetting {
  /** The property that selects it, for messages. */
  readonly property: string
  /** Class name of the original, or a module. */
  readonly className: string
  /** Folder from which relative paths count. */
  readonly rootDir: string
}

/** Opens the private key store that a property selects. Throws ConfigError when it cannot be had. */
export function openPrivateKeyStore(
  { properties }: Pick<LoadedConfig<object>, 'properties'>,
  { property, className, rootDir }: PrivateKeyStoreSetting,
): Promise<PrivateKeyStore> {
  const open = () => new FilePrivateKeyStore(properties.latest, rootDir)
  return loadPlugIn<PrivateKeyStore, []>(className, {
    property,
    what: 'private key store',
    builtIn: new Map([['com.yahoo.athenz.auth.impl.FilePrivateKeyStoreFactory', open]]),
    problemsOf: missingMethods('privateKey', 'applicationSecret'),
    directory: rootDir,
  })
}

/** The settings of the secret that encrypts credentials of services. */
export interface CredentialsSetting {
  readonly svcCredsKeyGroup: string | undefined
  readonly svcCredsKeyName: string | undefined
  readonly svcCredsEncryptionAlgorithm: string
}

/** What encrypts credentials of services, when a secret for it is configured; throws ConfigError when that is no good. */
export async function openCredentialsBox(
  server: 'zms' | 'zts',
  setting: CredentialsSetting,
  store: PrivateKeyStore,
): Promise<SecretBox | undefined> {
  const { svcCredsKeyGroup, svcCredsKeyName, svcCredsEncryptionAlgorithm } = setting
  if (svcCredsKeyName === undefined) return undefined
  const secret = await store.applicationSecret(server, svcCredsKeyGroup, svcCredsKeyName)
  return createSecretBox(secret, `athenz.${server}.svc_creds_key_name`, svcCredsEncryptionAlgorithm)
}
