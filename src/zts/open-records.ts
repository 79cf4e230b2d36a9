import { join } from 'node:path'
import { ConfigError } from '#core/config/config-error.ts'
import { loadPlugIn, missingMethods } from '#core/config/plug-in.ts'
import type { ConfigOf } from '#core/config/server-tables.ts'
import type { PrivateKeyStore } from '#core/crypto/private-key-store.ts'
import { databaseSettings, poolLimits, type RecordKind, recordDatabaseOf } from '#core/database/database-settings.ts'
import type { MySqlSettings } from '#core/database/mysql-connection.ts'
import type { ReadinessCheck } from '#core/http/ops-report.ts'
import { Closers } from '#core/main/closers.ts'
import type { PoolState } from '#core/metrics/pool-metrics.ts'
import { type Calls, type Methods, methodsOf, remote } from '#core/workers/calls.ts'
import type { CertificateRecords } from './store/certificate-records.ts'
import type { RecordDatabase } from './store/mysql/record-database.ts'
import type { SshRecords } from './store/ssh-records.ts'
import type { WorkloadRecords } from './store/workload-records.ts'

/** What stores of records are opened with; a plug-in gets the same. */
export interface RecordsOptions {
  readonly config: ConfigOf['zts']
  readonly privateKeyStore: PrivateKeyStore
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
  /** In a worker, the primary process, which has the records that are kept in files. */
  readonly primary?: Pick<Calls, 'call'> | undefined
  /** Takes the pools of connections that are opened, for the metrics, by the kind of their records. */
  readonly pools?: Map<RecordKind, () => PoolState>
  /** Takes what tells whether the stores can be used, by the names of their records. */
  readonly checks?: Map<string, ReadinessCheck>
}

/** One kind of records and the stores that are built in for it. */
interface RecordStores<Records> {
  readonly kind: RecordKind
  /** As people call the store. */
  readonly what: string
  /** What follows when their database is away. */
  readonly whenAway: string
  /** Class names of the original: in package `zts`, and in that common to the servers for databases. */
  readonly classes: { readonly file: string; readonly database: string }
  readonly methods: readonly (keyof Records & string)[]
  /** Methods that only some stores have; those in files do. */
  readonly furtherMethods?: readonly (keyof Records & string)[]
  readonly inFiles: (folder: string) => Promise<Records>
  readonly inDatabase: (database: RecordDatabase) => Promise<Records>
}

const ZTS = 'com.yahoo.athenz.zts.'
const COMMON = 'com.yahoo.athenz.common.server.'

/** Opens the store that `cert_record_store_factory_class` selects. Throws ConfigError or Error with the reason. */
export async function openCertificateRecords(options: RecordsOptions): Promise<CertificateRecords> {
  const { certRecordStoreFactoryClass: className } = options.config.zts
  const records = await openRecords(options, className, certificateStores(options))
  if (records.check) options.checks?.set('cert records', () => records.check?.())
  return records
}

function certificateStores(options: RecordsOptions): RecordStores<CertificateRecords> {
  const { zts } = options.config
  return {
    kind: 'cert',
    what: 'store of certificate records',
    whenAway:
      zts.certRecordsAway === 'refuse'
        ? 'instances are neither registered nor renewed'
        : 'new instances are registered and recorded later, others are not renewed',
    classes: { file: 'cert.impl.FileCertRecordStoreFactory', database: 'cert.impl.JDBCCertRecordStoreFactory' },
    methods: ['get', 'insert', 'update', 'delete', 'deleteExpired'],
    furtherMethods: ['claimUnrefreshed', 'check'],
    inFiles: async (folder) => {
      const { FileCertificateRecords } = await import('./store/file/file-certificate-records.ts')
      const { JournaledFolder } = await import('./store/file/journaled-folder.ts')
      return new FileCertificateRecords(await JournaledFolder.open({ folder, log: options.log }))
    },
    inDatabase: async (database) => {
      const { MySqlCertificateRecords } = await import('./store/mysql/mysql-certificate-records.ts')
      const records = new MySqlCertificateRecords(database)
      if (zts.certRecordsAway === 'refuse') return records
      const { PostponedCertificateRecords } = await import('./store/postponed-certificate-records.ts')
      return new PostponedCertificateRecords(records, options)
    },
  }
}

/** The store that `ssh_record_store_factory_class` selects; undefined when it selects none. Throws as the other does. */
export async function openSshRecords(options: RecordsOptions): Promise<SshRecords | undefined> {
  const { sshRecordStoreFactoryClass: className } = options.config.zts
  return className === undefined ? undefined : openRecords(options, className, SSH_STORES)
}

const SSH_STORES: RecordStores<SshRecords> = {
  kind: 'ssh',
  what: 'store of SSH records',
  whenAway: 'SSH certificates of hosts are not recorded, and not renewed by themselves',
  classes: { file: 'cert.impl.FileSSHRecordStoreFactory', database: 'cert.impl.JDBCSSHRecordStoreFactory' },
  methods: ['get', 'put', 'delete'],
  inFiles: async (folder) => {
    const { FileSshRecords } = await import('./store/file/file-ssh-records.ts')
    return new FileSshRecords(await openFolder(folder))
  },
  inDatabase: async (database) => {
    const { MySqlSshRecords } = await import('./store/mysql/mysql-ssh-records.ts')
    return new MySqlSshRecords(database)
  },
}

/** The store that `workload_record_store_factory_class` selects; undefined when it selects none. Throws as the others do. */
export async function openWorkloadRecords(options: RecordsOptions): Promise<WorkloadRecords | undefined> {
  const { workloadRecordStoreFactoryClass: className, workloadEnableStoreFeature: isWanted } = options.config.zts
  if (className !== undefined) return openRecords(options, className, WORKLOAD_STORES)
  if (isWanted) {
    const store = 'athenz.zts.workload_record_store_factory_class names no store'
    options.log('warn', `athenz.zts.workload_enable_store_feature: where services run is not recorded, since ${store}`)
  }
  return undefined
}

const WORKLOAD_STORES: RecordStores<WorkloadRecords> = {
  kind: 'workload',
  what: 'store of workload records',
  whenAway: 'where services run is neither recorded nor told',
  classes: {
    file: 'workload.impl.FileWorkloadRecordStoreFactory',
    database: 'workload.impl.JDBCWorkloadRecordStoreFactory',
  },
  methods: ['ofService', 'atAddress', 'put'],
  inFiles: async (folder) => {
    const { FileWorkloadRecords } = await import('./store/file/file-workload-records.ts')
    return new FileWorkloadRecords(await openFolder(folder))
  },
  inDatabase: async (database) => {
    const { MySqlWorkloadRecords } = await import('./store/mysql/mysql-workload-records.ts')
    return new MySqlWorkloadRecords(database)
  },
}

/** Records that one process keeps in files for all workers of a server. */
export interface RecordsInFiles {
  /** Lets a worker use them. */
  attach(calls: Pick<Calls, 'serve'>): void
  close(): Promise<void>
}

/** Opens the stores in files that the configuration selects, whatever kinds these are. */
export async function openRecordsInFiles(options: RecordsOptions): Promise<RecordsInFiles> {
  const { zts } = options.config
  const closers = new Closers()
  const served: [service: string, methods: Methods][] = []
  const open = async <Records extends { close?(): Promise<void> | void }>(
    className: string | undefined,
    stores: RecordStores<Records>,
  ) => {
    if (className !== ZTS + stores.classes.file) return
    const records = closers.keep(await openRecords(options, className, stores))
    served.push([serviceOf(stores), methodsOf(records, allMethodsOf(stores))])
  }
  try {
    await open(zts.certRecordStoreFactoryClass, certificateStores(options))
    await open(zts.sshRecordStoreFactoryClass, SSH_STORES)
    await open(zts.workloadRecordStoreFactoryClass, WORKLOAD_STORES)
  } catch (error) {
    await closers.close()
    throw error
  }
  return {
    attach(calls) {
      for (const [service, methods] of served) calls.serve(service, methods)
    },
    close: () => closers.close(),
  }
}

const serviceOf = ({ kind }: { readonly kind: RecordKind }): string => `${kind} records`

const allMethodsOf = <Records>({ methods, furtherMethods = [] }: RecordStores<Records>) => [
  ...methods,
  ...furtherMethods,
]

function openRecords<Records extends object>(
  options: RecordsOptions,
  className: string,
  stores: RecordStores<Records>,
): Promise<Records> {
  const { kind, what, classes, methods, inFiles, inDatabase } = stores
  const { config, primary } = options
  const { zts } = config
  const openFiles = () =>
    primary
      ? remote<Records>(primary, serviceOf(stores), allMethodsOf(stores))
      : inFiles(join(zts[`${kind}FileStorePath`], zts[`${kind}FileStoreName`]))
  const openTables = async () => inDatabase(await openDatabase(options, stores))
  return loadPlugIn<Records, [RecordsOptions]>(
    className,
    {
      property: `athenz.zts.${kind}_record_store_factory_class`,
      what,
      builtIn: new Map([
        [ZTS + classes.file, openFiles],
        [ZTS + classes.database, openTables],
        [COMMON + classes.database, openTables],
      ]),
      problemsOf: missingMethods(...methods),
      directory: zts.rootDir,
    },
    options,
  )
}

async function openFolder(folder: string) {
  const { RecordFolder } = await import('./store/file/record-folder.ts')
  return RecordFolder.open(folder)
}

const MILLIS_PER_SECOND = 1000

/** The driver takes time and memory that servers with records in files need not spend. */
async function openDatabase(
  options: RecordsOptions,
  { kind, whenAway }: Pick<RecordStores<never>, 'kind' | 'whenAway'>,
): Promise<RecordDatabase> {
  const { config, log } = options
  const { schemaMigrationDir } = config.zts
  const settings = await settingsOf(options, kind)
  if (schemaMigrationDir !== undefined) {
    const { migrateSchema } = await import('#core/database/schema-migration.ts')
    await migrateSchema({ settings, directory: schemaMigrationDir, server: 'zts', log })
  }
  const { RecordDatabase: Database } = await import('./store/mysql/record-database.ts')
  const what = `${kind} records`
  const database = new Database(settings, poolLimits(config), { what, consequence: whenAway, log })
  options.pools?.set(kind, () => database.state)
  options.checks?.set(what, () => database.check())
  return database
}

async function settingsOf({ config, privateKeyStore }: RecordsOptions, kind: RecordKind): Promise<MySqlSettings> {
  const { zts, datastore } = config
  const { address, user = address?.user, passwordName, appName, keyGroup, tls } = recordDatabaseOf(config, kind)
  const prefix = `athenz.zts.${kind}_jdbc_`
  if (address === undefined) throw new ConfigError([`${prefix}store: not set (give jdbc:mysql://HOST:3306/zts_store)`])
  if (user === undefined)
    throw new ConfigError([`${prefix}user: not set (give the user of the database, here or in ${kind}_jdbc_store)`])
  return databaseSettings(address, {
    user,
    password:
      passwordName === '' ? undefined : await privateKeyStore.applicationSecret(appName, keyGroup, passwordName),
    tls,
    statementTimeoutMillis: datastore.networkTimeoutMillis || zts[`${kind}OpTimeoutSeconds`] * MILLIS_PER_SECOND,
  })
}
