import { ConfigError } from '../config/config-error.ts'
import { loadPlugIn, missingMethods } from '../config/plug-in.ts'
import type { DataServerName, SharedConfig } from '../config/server-tables.ts'
import type { PrivateKeyStore } from '../crypto/private-key-store.ts'
import { databaseSettings, poolLimits, TLS_VERSIONS } from '../database/database-settings.ts'
import type { Clock } from '../seam/clock.ts'
import type { AuthHistoryStore } from './auth-use.ts'

/** What a history is opened with; a plug-in gets the same. */
export interface AuthHistoryOptions {
  readonly server: DataServerName
  /** The property that selects the store, and its value. */
  readonly property: string
  readonly className: string
  /** Folder from which relative paths of modules count. */
  readonly rootDir: string
  readonly config: Pick<SharedConfig, 'ts' | 'db' | 'datastore' | 'container'>
  readonly privateKeyStore: PrivateKeyStore
  readonly now: Clock
}

const SECONDS_PER_HOUR = 3600
const STATEMENT_TIMEOUT_MILLIS = 10_000
/** The original's stores, whatever package they were in: all of them are for one database of AWS. */
const DYNAMO_DB = /^[\w.]+\.DynamoDBAuthHistoryStoreFactory$/

/** Opens the store of the history of authentication. Throws ConfigError when it cannot be had. */
export async function openAuthHistory(options: AuthHistoryOptions): Promise<AuthHistoryStore> {
  const { property, className, rootDir } = options
  if (DYNAMO_DB.test(className)) {
    throw new ConfigError([
      `${property}: ${className} is not supported: it needs DynamoDB of AWS (give file, mysql, or a module of your own)`,
    ])
  }
  return loadPlugIn<AuthHistoryStore, [AuthHistoryOptions]>(
    className,
    {
      property,
      what: 'store of the history of authentication',
      builtIn: new Map([
        ['file', openFiles],
        ['mysql', openDatabase],
      ]),
      problemsOf: missingMethods('record', 'ofDomain'),
      directory: rootDir,
    },
    options,
  )
}

async function openFiles({ server, config, now }: AuthHistoryOptions): Promise<AuthHistoryStore> {
  const { ts, container } = config
  const { FileAuthHistory } = await import('./file-auth-history.ts')
  try {
    return await FileAuthHistory.open({
      folder: ts.authHistoryDir,
      // Servers of one kind on a machine differ in their ports.
      name: `${server}-${container.tlsPort || container.port}`,
      maxUses: ts.authHistoryMaxUses,
      retentionSeconds: ts.authHistoryHours * SECONDS_PER_HOUR,
      now,
    })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw Object.assign(new ConfigError([`athenz.ts.auth_history_dir: ${ts.authHistoryDir}: ${reason}`]), { cause })
  }
}

async function openDatabase({ config, privateKeyStore, now }: AuthHistoryOptions): Promise<AuthHistoryStore> {
  const { ts, datastore } = config
  const address = ts.authHistoryJdbcStore
  const user = ts.authHistoryJdbcUser ?? address?.user
  if (address === undefined || user === undefined) {
    const name = address === undefined ? 'store' : 'user'
    throw new ConfigError([
      `athenz.ts.auth_history_jdbc_${name}: not set (the history of authentication is kept there)`,
    ])
  }
  const { authHistoryJdbcPassword: secretName } = ts
  const password =
    secretName === undefined
      ? undefined
      : await privateKeyStore.applicationSecret(ts.authHistoryJdbcAppName, ts.authHistoryJdbcKeygroupName, secretName)
  const { MySqlAuthHistory } = await import('./mysql-auth-history.ts')
  return new MySqlAuthHistory({
    settings: databaseSettings(address, {
      user,
      password,
      tls: ts.authHistoryJdbcUseSsl && {
        verifyServer: ts.authHistoryJdbcVerifyServerCertificate,
        versions: TLS_VERSIONS,
      },
      statementTimeoutMillis: datastore.networkTimeoutMillis || STATEMENT_TIMEOUT_MILLIS,
    }),
    limits: poolLimits(config),
    retentionSeconds: ts.authHistoryHours * SECONDS_PER_HOUR,
    now,
  })
}
