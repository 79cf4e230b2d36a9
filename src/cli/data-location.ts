import { access, readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { ConfigError } from '#core/config/config-error.ts'
import { type JdbcUrl, parseJdbcUrl } from '#core/config/jdbc-url.ts'
import { type LoadedConfig, loadServerConfig } from '#core/config/server-config.ts'
import type { ConfigOf, DataServerName, ServerName } from '#core/config/server-tables.ts'
import { openPrivateKeyStore } from '#core/crypto/open-private-key-store.ts'
import {
  type DatabaseAccess,
  databaseSettings,
  RECORD_KINDS,
  recordDatabaseOf,
  TLS_VERSIONS,
  zmsDatabaseTls,
} from '#core/database/database-settings.ts'
import type { MySqlSettings } from '#core/database/mysql-connection.ts'
import type { DataLocation } from '#zms/transfer/data-location.ts'
import { CommandFailure, reasonOf } from './command-failure.ts'
import { PROJECT_FOLDER, type ServerKind, serverLayout, ZMS, ZTS } from './server-kind.ts'
import { collectSetting } from './setting.ts'

/** Options that say whose data a command works on: those of a configured server unless they name others. */
export interface DataOptions {
  /** Folder that holds `conf`. */
  readonly root: string
  readonly define?: ReadonlyMap<string, string>
  readonly mysqlUrl?: string
  readonly mysqlPasswordFile?: string
}

/** Reading or writing much at once takes its time; whoever waits too long ends the command. */
const STATEMENT_TIMEOUT_MILLIS = 3_600_000

/** Adds the options to a command. */
export function withDataOptions(command: Command): Command {
  return command
    .option('--root <folder>', 'folder that holds conf and var', PROJECT_FOLDER)
    .option('-D, --define <key=value>', 'property that wins over the files; may be repeated', collectSetting)
    .option('--mysql-url <url>', 'database, instead of the configured one: mysql://user@host:port/db?useSSL=true')
    .addOption(new Option('--mysql-password-file <file>', 'file with the password for it'))
}

/**
 * Where the data of ZMS are.
 * @throws CommandFailure when the options or the configuration are wrong
 */
export async function zmsDataOf(options: DataOptions & { readonly storeDir?: string }): Promise<DataLocation> {
  if (options.storeDir !== undefined && options.mysqlUrl !== undefined) {
    throw new CommandFailure('--store-dir and --mysql-url exclude each other')
  }
  if (options.storeDir !== undefined) return { kind: 'file', folder: resolve(options.storeDir) }
  if (options.mysqlUrl !== undefined) return { kind: 'mysql', settings: await settingsOfUrl(options, options.mysqlUrl) }
  const loaded = await loadConfig('zms', options)
  const { zms, ts } = loaded.config
  switch (zms.objectStoreFactoryClass) {
    case 'com.yahoo.athenz.zms.store.impl.FileObjectStoreFactory':
      return { kind: 'file', folder: ts.storeDir }
    case 'com.yahoo.athenz.zms.store.impl.JDBCObjectStoreFactory':
      return { kind: 'mysql', settings: await zmsSettings(loaded) }
    default:
      throw new CommandFailure(`the store ${zms.objectStoreFactoryClass} is a plug-in; name another by an option`)
  }
}

/**
 * The databases of the configured servers, each once; or the one that the options name.
 * @throws CommandFailure when the options or the configuration are wrong, or there is none
 */
export async function databasesOf(options: DataOptions): Promise<MySqlSettings[]> {
  const found = await configuredDatabases(options)
  if (found.length > 0) return found
  throw new CommandFailure('no database is configured: set athenz.zms.jdbc_store, or name one with --mysql-url')
}

/** As {@link databasesOf}, without any when everything is kept in files. */
export async function configuredDatabases(options: DataOptions): Promise<MySqlSettings[]> {
  if (options.mysqlUrl !== undefined) return [await settingsOfUrl(options, options.mysqlUrl)]
  const found = new Map<string, MySqlSettings>()
  const add = (settings: MySqlSettings) => {
    found.set(JSON.stringify([settings.host, settings.port, settings.database]), settings)
  }
  if (await isConfigured(ZMS, options)) {
    const loaded = await loadConfig('zms', options)
    if (loaded.config.zms.jdbcStore !== undefined) add(await zmsSettings(loaded))
  }
  if (await isConfigured(ZTS, options)) {
    for (const settings of await ztsSettings(await loadConfig('zts', options))) add(settings)
  }
  return [...found.values()]
}

/** The servers often run on machines of their own. */
async function isConfigured(kind: ServerKind, { root }: DataOptions): Promise<boolean> {
  const { confFolder } = serverLayout(kind, resolve(root))
  return access(confFolder).then(
    () => true,
    () => false,
  )
}

/**
 * The configuration of a server.
 * @throws CommandFailure when it is wrong
 */
export async function loadConfig<Server extends ServerName>(
  server: Server,
  { root, define = new Map() }: DataOptions,
): Promise<LoadedConfig<ConfigOf[Server]>> {
  try {
    return await loadServerConfig({
      server,
      rootDir: resolve(root),
      // What is set here is for either server, and neither minds the other's.
      overrides: [...define],
      env: process.env,
      hostname: hostname(),
    })
  } catch (error) {
    if (error instanceof ConfigError)
      throw new CommandFailure(`the configuration is wrong: ${error.problems.join('; ')}`)
    throw error
  }
}

const passwordOf = async (
  loaded: LoadedConfig<ConfigOf['zms'] | ConfigOf['zts']>,
  server: DataServerName,
  { className, rootDir }: { className: string; rootDir: string },
  secret: { appName: string; keyGroup: string; name: string | undefined },
): Promise<string | undefined> => {
  if (secret.name === undefined || secret.name === '') return undefined
  const property = `athenz.${server}.private_key_store_factory_class`
  const store = await openPrivateKeyStore(loaded, { property, className, rootDir })
  return store.applicationSecret(secret.appName, secret.keyGroup, secret.name)
}

async function zmsSettings(loaded: LoadedConfig<ConfigOf['zms']>): Promise<MySqlSettings> {
  const { zms } = loaded.config
  if (zms.jdbcStore === undefined) throw new CommandFailure('athenz.zms.jdbc_store is not set')
  const password = await passwordOf(
    loaded,
    'zms',
    { className: zms.privateKeyStoreFactoryClass, rootDir: zms.rootDir },
    { appName: zms.jdbcAppName, keyGroup: zms.jdbcKeygroupName, name: zms.jdbcPassword },
  )
  return settingsOf(zms.jdbcStore, {
    user: zms.jdbcUser,
    password,
    property: 'athenz.zms.jdbc_user',
    tls: zmsDatabaseTls(loaded.config),
  })
}

async function ztsSettings(loaded: LoadedConfig<ConfigOf['zts']>): Promise<MySqlSettings[]> {
  const { zts } = loaded.config
  const place = { className: zts.privateKeyStoreFactoryClass, rootDir: zts.rootDir }
  const found: MySqlSettings[] = []
  for (const kind of RECORD_KINDS) {
    const { address, user, passwordName, appName, keyGroup, tls } = recordDatabaseOf(loaded.config, kind)
    if (address === undefined) continue
    const password = await passwordOf(loaded, 'zts', place, { appName, keyGroup, name: passwordName })
    found.push(settingsOf(address, { user, password, property: `athenz.zts.${kind}_jdbc_user`, tls }))
  }
  return found
}

async function settingsOfUrl({ mysqlPasswordFile }: DataOptions, text: string): Promise<MySqlSettings> {
  const parsed = parseJdbcUrl(text)
  if (!parsed.ok) throw new CommandFailure(`--mysql-url: ${parsed.reason}`)
  const { options } = parsed.url
  const verifyServer = options.get('verifyServerCertificate') === 'true'
  return settingsOf(parsed.url, {
    user: undefined,
    password: mysqlPasswordFile === undefined ? undefined : await readPassword(mysqlPasswordFile),
    property: 'the user in --mysql-url',
    tls: options.get('useSSL') === 'true' && { verifyServer, versions: TLS_VERSIONS },
  })
}

async function readPassword(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).replace(/\r?\n$/, '')
  } catch (error) {
    throw new CommandFailure(`--mysql-password-file ${file}: ${reasonOf(error)}`)
  }
}

function settingsOf(
  address: JdbcUrl,
  given: Pick<DatabaseAccess, 'password' | 'tls'> & { user: string | undefined; property: string },
): MySqlSettings {
  const { user = address.user, password, tls, property } = given
  if (user === undefined) throw new CommandFailure(`${property} is missing`)
  return databaseSettings(address, { user, password, tls, statementTimeoutMillis: STATEMENT_TIMEOUT_MILLIS })
}
