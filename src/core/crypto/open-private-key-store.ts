import { loadPlugIn, missingMethods } from '../config/plug-in.ts'
import type { ConfigProperties } from '../config/server-config.ts'
import { openObjectKeyStore, openParameterKeyStore, openSecretKeyStore } from './aws-private-key-store.ts'
import { FilePrivateKeyStore } from './file-private-key-store.ts'
import type { PrivateKeyStore, PrivateKeyStoreContext } from './private-key-store.ts'
import { createSecretBox, type SecretBox } from './secret-box.ts'
import { VaultPrivateKeyStore } from './vault-private-key-store.ts'

/** Which private key store a server has. */
export interface PrivateKeyStoreSetting {
  /** The property that selects it, for messages. */
  readonly property: string
  /** Class name of the original, or a module. */
  readonly className: string
  /** Folder from which relative paths count. */
  readonly rootDir: string
  /** The server's log; nothing is logged without. */
  readonly log?: PrivateKeyStoreContext['log']
}

type OpenKeyStore = (context: PrivateKeyStoreContext) => PrivateKeyStore | Promise<PrivateKeyStore>

const FILE_STORE = 'com.yahoo.athenz.auth.impl.FilePrivateKeyStoreFactory'
const AWS = 'io.athenz.server.aws.common.key.impl.'

/** Our key stores by the class names that existing configurations use; those of ours alone begin with `athenz.ts.`. */
const builtInKeyStores = (property: string): ReadonlyMap<string, OpenKeyStore> =>
  new Map<string, OpenKeyStore>([
    [FILE_STORE, (context) => new FilePrivateKeyStore(context.property, context.rootDirectory)],
    [`${AWS}ParameterStorePrivateKeyStoreFactory`, (context) => openParameterKeyStore(property, context)],
    [`${AWS}S3PrivateKeyStoreFactory`, (context) => openObjectKeyStore(property, context)],
    ['athenz.ts.SecretsManagerPrivateKeyStore', (context) => openSecretKeyStore(property, context)],
    ['athenz.ts.VaultPrivateKeyStore', (context) => VaultPrivateKeyStore.open(context)],
  ])

/** Opens the private key store that a property selects. Throws ConfigError when it cannot be had. */
export function openPrivateKeyStore(
  { properties }: { readonly properties: Pick<ConfigProperties, 'get'> },
  { property, className, rootDir, log = () => {} }: PrivateKeyStoreSetting,
): Promise<PrivateKeyStore> {
  const context: PrivateKeyStoreContext = { property: properties.get, rootDirectory: rootDir, log }
  return loadPlugIn<PrivateKeyStore, [PrivateKeyStoreContext]>(
    className,
    {
      property,
      what: 'private key store',
      builtIn: builtInKeyStores(property),
      problemsOf: missingMethods('privateKey', 'applicationSecret'),
      directory: rootDir,
    },
    context,
  )
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
