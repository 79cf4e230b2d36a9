import { join } from 'node:path'
import { ConfigError } from '#core/config/config-error.ts'
import { loadPlugIn, missingMethods, type PlugInPoint } from '#core/config/plug-in.ts'
import type { ConfigOf } from '#core/config/server-tables.ts'
import type { PrivateKeyStore } from '#core/crypto/private-key-store.ts'
import type { MySqlSettings } from '#core/database/mysql-connection.ts'
import type { CertificateRecords } from './store/certificate-records.ts'
import type { RecordDatabase } from './store/mysql/record-database.ts'
import type { SshRecords } from './store/ssh-records.ts'
import type { WorkloadRecords } from './store/workload-records.ts'

/** What stores of records are opened with; a plug-in gets the same. */
export interface RecordsOptions {
  readonly config: ConfigOf['zts']
  readonly privateKeyStore: PrivateKeyStore
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
}

type Database = NonNullable<ConfigOf['zts']['zts']['certJdbcStore']>

/** Settings of one kind of records; properties are named without their prefix. */
interface RecordSettings {
  readonly kind: 'cert' | 'ssh' | 'workload'
  readonly folder: string
  readonly database: Database | undefined
  readonly user: string | undefined
  readonly password: string
  readonly appName: string
  readonly keyGroup: string
  readonly encrypted: boolean
  readonly verified: boolean
  readonly timeoutSeconds: number
}

const ZTS = 'com.yahoo.athenz.zts.'
const COMMON = 'com.yahoo.athenz.common.server.'

/** Opens the store that `cert_record_store_factory_class` selects. Throws ConfigError or Error with the reason. */
export function openCertificateRecords(options: RecordsOptions): Promise<CertificateRecords> {
  const { zts } = options.config
  const settings: RecordSettings = {
    kind: 'cert',
    folder: join(zts.certFileStorePath, zts.certFileStoreName),
    database: zts.certJdbcStore,
    user: zts.certJdbcUser,
    password: zts.certJdbcPassword,
    appName: zts.certJdbcAppName,
    keyGroup: zts.certJdbcKeygroupName,
    encrypted: zts.certJdbcUseSsl,
    verified: zts.certJdbcVerifyServerCertificate,
    timeoutSeconds: zts.certOpTimeoutSeconds,
  }
  const inDatabase = async () => {
    const database = await openDatabase(options, settings)
    const { MySqlCertificateRecords } = await import('./store/mysql/mysql-certificate-records.ts')
    const records = new MySqlCertificateRecords(database)
    if (zts.certRecordsAway === 'refuse') return records
    const { PostponedCertificateRecords } = await import('./store/postponed-certificate-records.ts')
    return new PostponedCertificateRecords(records, options)
  }
  const point: PlugInPoint<CertificateRecords, [RecordsOptions]> = {
    property: 'athenz.zts.cert_record_store_factory_class',
    what: 'store of certificate records',
    builtIn: new Map<string, () => Promise<CertificateRecords>>([
      [
        `${ZTS}cert.impl.FileCertRecordStoreFactory`,
        async () => {
          const { FileCertificateRecords } = await import('./store/file/file-certificate-records.ts')
          return new FileCertificateRecords(await openFolder(settings.folder))
        },
      ],
      [`${ZTS}cert.impl.JDBCCertRecordStoreFactory`, inDatabase],
      [`${COMMON}cert.impl.JDBCCertRecordStoreFactory`, inDatabase],
    ]),
    problemsOf: missingMethods('get', 'insert', 'update', 'delete', 'deleteExpired'),
    directory: zts.rootDir,
  }
  return loadPlugIn(zts.certRecordStoreFactoryClass, point, options)
}

/** The store that `ssh_record_store_factory_class` selects; undefined when it selects none. Throws as the other does. */
export async function openSshRecords(options: RecordsOptions): Promise<SshRecords | undefined> {
  const { zts } = options.config
  if (zts.sshRecordStoreFactoryClass === undefined) return undefined
  const settings: RecordSettings = {
    kind: 'ssh',
    folder: join(zts.sshFileStorePath, zts.sshFileStoreName),
    database: zts.sshJdbcStore,
    user: zts.sshJdbcUser,
    password: zts.sshJdbcPassword,
    appName: zts.sshJdbcAppName,
    keyGroup: zts.sshJdbcKeygroupName,
    encrypted: zts.sshJdbcUseSsl,
    verified: zts.sshJdbcVerifyServerCertificate,
    timeoutSeconds: zts.sshOpTimeoutSeconds,
  }
  const inDatabase = async () => {
    const database = await openDatabase(options, settings)
    const { MySqlSshRecords } = await import('./store/mysql/mysql-ssh-records.ts')
    return new MySqlSshRecords(database)
  }
  const point: PlugInPoint<SshRecords, [RecordsOptions]> = {
    property: 'athenz.zts.ssh_record_store_factory_class',
    what: 'store of SSH records',
    builtIn: new Map<string, () => Promise<SshRecords>>([
      [
        `${ZTS}cert.impl.FileSSHRecordStoreFactory`,
        async () => {
          const { FileSshRecords } = await import('./store/file/file-ssh-records.ts')
          return new FileSshRecords(await openFolder(settings.folder))
        },
      ],
      [`${ZTS}cert.impl.JDBCSSHRecordStoreFactory`, inDatabase],
      [`${COMMON}cert.impl.JDBCSSHRecordStoreFactory`, inDatabase],
    ]),
    problemsOf: missingMethods('get', 'put', 'delete'),
    directory: zts.rootDir,
  }
  return loadPlugIn(zts.sshRecordStoreFactoryClass, point, options)
}

/** The store that `workload_record_store_factory_class` selects; undefined when it selects none. Throws as the others do. */
export async function openWorkloadRecords(options: RecordsOptions): Promise<WorkloadRecords | undefined> {
  const { zts } = options.config
  if (zts.workloadRecordStoreFactoryClass === undefined) return undefined
  const settings: RecordSettings = {
    kind: 'workload',
    folder: join(zts.workloadFileStorePath, zts.workloadFileStoreName),
    database: zts.workloadJdbcStore,
    user: zts.workloadJdbcUser,
    password: zts.workloadJdbcPassword,
    appName: zts.workloadJdbcAppName,
    keyGroup: zts.workloadJdbcKeygroupName,
    encrypted: zts.workloadJdbcUseSsl,
    verified: zts.workloadJdbcVerifyServerCertificate,
    timeoutSeconds: zts.workloadOpTimeoutSeconds,
  }
  const inDatabase = async () => {
    const database = await openDatabase(options, settings)
    const { MySqlWorkloadRecords } = await import('./store/mysql/mysql-workload-records.ts')
    return new MySqlWorkloadRecords(database)
  }
  const point: PlugInPoint<WorkloadRecords, [RecordsOptions]> = {
    property: 'athenz.zts.workload_record_store_factory_class',
    what: 'store of workload records',
    builtIn: new Map<string, () => Promise<WorkloadRecords>>([
      [
        `${ZTS}workload.impl.FileWorkloadRecordStoreFactory`,
        async () => {
          const { FileWorkloadRecords } = await import('./store/file/file-workload-records.ts')
          return new FileWorkloadRecords(await openFolder(settings.folder))
        },
      ],
      [`${ZTS}workload.impl.JDBCWorkloadRecordStoreFactory`, inDatabase],
      [`${COMMON}workload.impl.JDBCWorkloadRecordStoreFactory`, inDatabase],
    ]),
    problemsOf: missingMethods('ofService', 'atAddress', 'put'),
    directory: zts.rootDir,
  }
  return loadPlugIn(zts.workloadRecordStoreFactoryClass, point, options)
}

async function openFolder(folder: string) {
  const { RecordFolder } = await import('./store/file/record-folder.ts')
  return RecordFolder.open(folder)
}

const MILLIS_PER_SECOND = 1000
const CONNECT_TIMEOUT_MILLIS = 10_000
const TLS_VERSIONS = ['TLSv1.2', 'TLSv1.3']

/** The driver takes time and memory that servers with records in files need not spend. */
async function openDatabase(
  { config, privateKeyStore, log }: RecordsOptions,
  settings: RecordSettings,
): Promise<RecordDatabase> {
  const { db, datastore, zts } = config
  const connection = await connectionSettings(settings, privateKeyStore, datastore.networkTimeoutMillis)
  if (zts.schemaMigrationDir !== undefined) {
    const { migrateSchema } = await import('#core/database/schema-migration.ts')
    await migrateSchema({ settings: connection, directory: zts.schemaMigrationDir, server: 'zts', log })
  }
  const { RecordDatabase } = await import('./store/mysql/record-database.ts')
  return new RecordDatabase(connection, {
    maxTotal: db.poolMaxTotal,
    maxIdle: db.poolMaxIdle,
    minIdle: db.poolMinIdle,
    maxWaitMillis: db.poolMaxWaitMillis,
    idleTimeoutMillis: db.poolEvictIdleTimeoutMillis,
    evictIntervalMillis: db.poolEvictIdleIntervalMillis,
    maxLifetimeMillis: db.poolMaxTtlMillis,
  })
}

async function connectionSettings(
  { kind, database, user, password, appName, keyGroup, encrypted, verified, timeoutSeconds }: RecordSettings,
  privateKeyStore: PrivateKeyStore,
  networkTimeoutMillis: number,
): Promise<MySqlSettings> {
  const prefix = `athenz.zts.${kind}_jdbc_`
  if (database === undefined) throw new ConfigError([`${prefix}store: not set (give jdbc:mysql://HOST:3306/zts_store)`])
  const name = user ?? database.user
  if (name === undefined)
    throw new ConfigError([`${prefix}user: not set (give the user of the database, here or in ${kind}_jdbc_store)`])
  const word =
    password === '' ? database.password : await privateKeyStore.applicationSecret(appName, keyGroup, password)
  return {
    host: database.host,
    port: database.port,
    database: database.database,
    user: name,
    ...(word !== undefined && { password: word }),
    ...(encrypted && { tls: { verifyServer: verified, versions: TLS_VERSIONS } }),
    connectTimeoutMillis: CONNECT_TIMEOUT_MILLIS,
    statementTimeoutMillis: networkTimeoutMillis || timeoutSeconds * MILLIS_PER_SECOND,
  }
}
