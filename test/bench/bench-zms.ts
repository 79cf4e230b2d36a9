import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MySqlSettings } from '#core/database/mysql-connection.ts'
import { openFileStore } from '#zms/store/file/file-store.ts'
import type { Store } from '#zms/store/store.ts'
import { ensureCa, ensureCertificate } from '../../src/cli/dev-certificates.ts'
import { DevFolder } from '../../src/cli/dev-folder.ts'
import { PROJECT_FOLDER, serverLayout, ZMS } from '../../src/cli/server-kind.ts'
import { type DevServers, startDevServers } from '../support/dev-servers.ts'
import { type MariaDb, startMariaDb } from '../support/mariadb.ts'
import { openStore, settingsFor } from '../support/mysql-store.ts'
import type { ClientFiles } from './load-tool.ts'

/** Where ZMS keeps its data. */
export type StoreKind = 'file' | 'mysql'

/** What people call the stores. */
export const STORE_TITLES: Readonly<Record<StoreKind, string>> = { file: 'file store', mysql: 'MariaDB' }

/** The caller of benchmarks. */
export const CALLER = 'user.bench'

/** A folder of `athenz dev`, and a database where one is used, in which ZMS finds its data; deleted when it is left. */
export interface BenchZms extends AsyncDisposable {
  readonly store: StoreKind
  readonly folder: string
  readonly database: MariaDb | undefined
  /** Address of its data in there. */
  readonly databaseUrl: string | undefined
  /** Certificate and key of {@link CALLER}. */
  readonly client: ClientFiles
  /** Certificate and key of the server. */
  readonly server: ClientFiles
  /**
   * Starts ZMS by `bin/athenz dev`, with properties that win over its files, and ZTS beside it where that was prepared,
   * unless `zms` alone is asked for, or with the web page, `ui`.
   */
  start(settings?: Readonly<Record<string, string>>, servers?: 'all' | 'zms' | 'ui'): Promise<DevServers>
}

/**
 * Makes everything that ZMS needs, with data written by `fill` through the contract of the stores. With properties for
 * ZTS (they may be none), ZTS runs beside it.
 */
export async function prepareZms(
  kind: StoreKind,
  fill: (store: Store) => Promise<void>,
  ztsSettings?: Readonly<Record<string, string>>,
): Promise<BenchZms> {
  await using resources = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'athenz-bench-'))
  resources.defer(() => rm(folder, { recursive: true, force: true }))
  const database = kind === 'mysql' ? resources.use(await startMariaDb({ durable: true })) : undefined
  const databaseName = await database?.freshDatabase(join(PROJECT_FOLDER, 'schema', 'zms_server.sql'))
  const databaseUrl = databaseName === undefined ? undefined : database?.url(databaseName)
  const common = {
    dir: folder,
    zts: ztsSettings !== undefined,
    ...(databaseUrl !== undefined && { mysqlUrl: databaseUrl }),
  }
  const start: BenchZms['start'] = (settings = {}, servers = 'all') =>
    startDevServers({ ...common, ...(servers !== 'all' && { zts: false }), ui: servers === 'ui', settings })
  const { certificatesFolder, varFolder } = serverLayout(ZMS, folder)
  // The first start makes certificates and the system domains.
  const hasSettings = ztsSettings !== undefined && Object.keys(ztsSettings).length > 0
  const first = await startDevServers({ ...common, ...(hasSettings && { ztsSettings }) })
  await first[Symbol.asyncDispose]()
  const client = await clientOf(folder)
  const store =
    database && databaseName !== undefined
      ? openStore(database, databaseName, { primary: patientSettings(database, databaseName) })
      : await openFileStore({ folder: join(varFolder, 'store') })
  try {
    await fill(store)
  } finally {
    await store.close()
  }
  const owned = resources.move()
  return {
    store: kind,
    folder,
    database,
    databaseUrl,
    client,
    server: {
      certificate: join(certificatesFolder, 'zms_cert.pem'),
      key: join(certificatesFolder, 'zms_key.pem'),
    },
    start,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** A role of 100,000 members is written in one statement, on a machine that may do something else. */
const patientSettings = (database: MariaDb, name: string): MySqlSettings => ({
  ...settingsFor(database, name),
  statementTimeoutMillis: 600_000,
})

async function clientOf(folderPath: string): Promise<ClientFiles> {
  const files = { certificate: 'bench/caller.pem', key: 'bench/caller.key' }
  const folder = await DevFolder.open(folderPath)
  try {
    await ensureCertificate(folder, await ensureCa(folder), { commonName: CALLER, use: 'client', files })
  } finally {
    await folder.lock.release()
  }
  return { certificate: folder.file(files.certificate), key: folder.file(files.key) }
}
