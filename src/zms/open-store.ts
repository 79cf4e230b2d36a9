import { ConfigError } from '#core/config/config-error.ts'
import { loadPlugIn, missingMethods, type PlugInPoint } from '#core/config/plug-in.ts'
import type { ConfigOf } from '#core/config/server-tables.ts'
import type { PrivateKeyStore } from '#core/crypto/private-key-store.ts'
import { DatabaseError } from '#core/database/database-error.ts'
import { databaseSettings, poolLimits, zmsDatabaseTls } from '#core/database/database-settings.ts'
import type { MySqlSettings } from '#core/database/mysql-connection.ts'
import type { WorkerSeat } from '#core/workers/worker-seat.ts'
import type { EmbeddedStore } from './store/file/embedded-store.ts'
import { openFileStore } from './store/file/file-store.ts'
import { openFollowingStore } from './store/file/following-store.ts'
import type { Store } from './store/store.ts'

/** What a store is opened with; a plug-in gets the same. */
export interface StoreOptions {
  readonly config: ConfigOf['zms']
  readonly privateKeyStore: PrivateKeyStore
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
  /** Place among the processes of the server: the embedded store is had by the primary process, and followed here. */
  readonly seat?: WorkerSeat | undefined
}

/** Opens the store that `athenz.zms.object_store_factory_class` selects. Throws ConfigError or Error with the reason. */
export function openStore(options: StoreOptions): Promise<Store> {
  const { zms } = options.config
  const point: PlugInPoint<Store, [StoreOptions]> = {
    property: 'athenz.zms.object_store_factory_class',
    what: 'store',
    builtIn: new Map([
      [EMBEDDED, async (own) => (own.seat ? followEmbedded(own, own.seat) : openEmbedded(own))],
      ['com.yahoo.athenz.zms.store.impl.JDBCObjectStoreFactory', openDatabase],
    ]),
    problemsOf: missingMethods('transact', 'domain', 'domains', 'check', 'close'),
    directory: zms.rootDir,
  }
  return loadPlugIn(zms.objectStoreFactoryClass, point, options)
}

const EMBEDDED = 'com.yahoo.athenz.zms.store.impl.FileObjectStoreFactory'

/** Whether the configuration selects the embedded store, which one process has. */
export const isEmbedded = ({ zms }: ConfigOf['zms']): boolean => zms.objectStoreFactoryClass === EMBEDDED

/** Opens the embedded store, which no other process may have open. Throws Error with the reason. */
export const openEmbedded = ({ config, log }: Pick<StoreOptions, 'config' | 'log'>): Promise<EmbeddedStore> =>
  openFileStore({ folder: config.ts.storeDir, log })

const followEmbedded = ({ config }: StoreOptions, { primary, counter, number }: WorkerSeat): Promise<Store> =>
  openFollowingStore({ calls: primary, mark: counter, folder: config.ts.storeDir, number })

const MILLIS_PER_SECOND = 1000
/** The original repeats an attempt a fixed number of times at a fixed pace; the time that makes is the limit here. */
const retryOf = ({ zms }: ConfigOf['zms']) => ({
  count: zms.requestConflictRetryCount,
  sleepMillis: zms.requestConflictRetrySleepTimeMillis,
  totalMillis: zms.requestConflictRetryCount * zms.requestConflictRetrySleepTimeMillis,
})

async function openDatabase({ config, privateKeyStore, log }: StoreOptions): Promise<Store> {
  const { zms, datastore, ts } = config
  const secret = async (name: string | undefined) =>
    name === undefined ? undefined : privateKeyStore.applicationSecret(zms.jdbcAppName, zms.jdbcKeygroupName, name)
  const settings = (
    address: NonNullable<typeof zms.jdbcStore>,
    user = address.user,
    password?: string,
  ): MySqlSettings => {
    if (user === undefined) {
      throw new ConfigError(['athenz.zms.jdbc_user: not set (give the user of the database, here or in jdbc_store)'])
    }
    return databaseSettings(address, {
      user,
      password,
      tls: zmsDatabaseTls(config),
      statementTimeoutMillis: datastore.networkTimeoutMillis || zms.storeOperationTimeoutSeconds * MILLIS_PER_SECOND,
    })
  }
  if (zms.jdbcStore === undefined) {
    throw new ConfigError(['athenz.zms.jdbc_store: not set (give jdbc:mysql://HOST:3306/zms_server)'])
  }
  const primary = settings(zms.jdbcStore, zms.jdbcUser, await secret(zms.jdbcPassword))
  const replica = zms.jdbcRoStore && settings(zms.jdbcRoStore, zms.jdbcRoUser, await secret(zms.jdbcRoPassword))
  if (zms.schemaMigrationDir !== undefined) {
    const { migrateSchema } = await import('#core/database/schema-migration.ts')
    await migrateSchema({ settings: primary, directory: zms.schemaMigrationDir, server: 'zms', log })
  }
  // The driver takes time and memory that servers with the embedded store need not spend.
  const { MySqlStore } = await import('./store/mysql/mysql-store.ts')
  return new MySqlStore({
    primary,
    ...(replica && { replica }),
    readOnly: () => zms.readOnlyMode.value,
    log,
    pool: poolLimits(config),
    retry: retryOf(config),
    maxCachedObjects: ts.domainCacheMaxObjects,
    write: {
      roleAudit: { max: zms.jdbcAuditLogRoleMaxLimit, keep: zms.jdbcAuditLogRoleKeepCount },
      groupAudit: { max: zms.jdbcAuditLogGroupMaxLimit, keep: zms.jdbcAuditLogGroupKeepCount },
    },
  })
}

/** Error numbers of a database that works but is not set up for this server: waiting would not help. */
const SETUP_ADVICE: ReadonlyMap<number, string> = new Map([
  [1044, 'athenz.zms.jdbc_store: grant the user all privileges on the database'],
  [1045, 'athenz.zms.jdbc_user: check it and athenz.zms.jdbc_password'],
  [1049, 'athenz.zms.jdbc_store: make the database with schema/zms_server.sql, or correct its name'],
  [1146, 'athenz.zms.jdbc_store: load schema/zms_server.sql into the database'],
])

/** What the operator has to do when the first question to the store fails with this error; undefined if it may pass. */
export function setupError(error: unknown): ConfigError | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const advice = cause instanceof DatabaseError && cause.number !== undefined && SETUP_ADVICE.get(cause.number)
    if (advice) return new ConfigError([`${advice} (${cause.message})`])
  }
  return undefined
}
