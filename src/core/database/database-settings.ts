import type { JdbcUrl } from '../config/jdbc-url.ts'
import type { ConfigOf, SharedConfig } from '../config/server-tables.ts'
import { DatabaseHosts } from './database-hosts.ts'
import type { MySqlSettings } from './mysql-connection.ts'
import type { PoolLimits } from './mysql-pool.ts'

const CONNECT_TIMEOUT_MILLIS = 10_000

/** What is told to a database where no property says more. */
export const TLS_VERSIONS: readonly string[] = ['TLSv1.2', 'TLSv1.3']

/** What stands beside the address of a database. */
export interface DatabaseAccess {
  /** That of the properties, or else that in the address. */
  readonly user: string
  /** Wins over that in the address. */
  readonly password: string | undefined
  /** False: not encrypted. */
  readonly tls: NonNullable<MySqlSettings['tls']> | false
  /** Longest wait for the answer to a statement. */
  readonly statementTimeoutMillis: number
}

/** What an address demands of the connection; false: nothing. */
const addressTls = ({ encryption }: Pick<JdbcUrl, 'encryption'>): DatabaseAccess['tls'] =>
  encryption !== undefined && { verifyServer: encryption === 'verified', versions: TLS_VERSIONS }

/** Neither of the two takes away what the other one demands. */
const strictest = (property: DatabaseAccess['tls'], address: DatabaseAccess['tls']): DatabaseAccess['tls'] =>
  property && address
    ? { ...property, verifyServer: property.verifyServer || address.verifyServer }
    : property || address

/** How a database is talked to. */
export function databaseSettings(address: JdbcUrl, access: DatabaseAccess): MySqlSettings {
  const { host, port, furtherHosts, database } = address
  const { user, password = address.password, statementTimeoutMillis } = access
  const tls = strictest(access.tls, addressTls(address))
  return {
    host,
    port,
    ...(furtherHosts && { hosts: new DatabaseHosts([{ host, port }, ...furtherHosts]) }),
    database,
    user,
    ...(password !== undefined && { password }),
    ...(tls && { tls }),
    connectTimeoutMillis: CONNECT_TIMEOUT_MILLIS,
    statementTimeoutMillis,
  }
}

/** The limits of pools (`athenz.db.pool_*`). */
export const poolLimits = ({ db }: Pick<SharedConfig, 'db'>): PoolLimits => ({
  maxTotal: db.poolMaxTotal,
  maxIdle: db.poolMaxIdle,
  minIdle: db.poolMinIdle,
  maxWaitMillis: db.poolMaxWaitMillis,
  idleTimeoutMillis: db.poolEvictIdleTimeoutMillis,
  evictIntervalMillis: db.poolEvictIdleIntervalMillis,
  maxLifetimeMillis: db.poolMaxTtlMillis,
})

/** Encryption of the database of ZMS, as its properties say. */
export const zmsDatabaseTls = ({ zms }: Pick<ConfigOf['zms'], 'zms'>): DatabaseAccess['tls'] =>
  zms.jdbcUseSsl && { verifyServer: zms.jdbcVerifyServerCertificate, versions: zms.jdbcTlsVersions }

/** The kinds of records that ZTS keeps; their properties begin with `athenz.zts.{kind}_jdbc_`. */
export const RECORD_KINDS = ['cert', 'ssh', 'workload'] as const
export type RecordKind = (typeof RECORD_KINDS)[number]

/** Where the properties of ZTS put the records of a kind. */
export interface RecordDatabaseProperties extends Pick<DatabaseAccess, 'tls'> {
  readonly address: JdbcUrl | undefined
  readonly user: string | undefined
  /** Name of the password in the private key store; empty when there is none. */
  readonly passwordName: string
  readonly appName: string
  readonly keyGroup: string
}

/** The properties of the database for the records of a kind. */
export const recordDatabaseOf = (
  { zts }: Pick<ConfigOf['zts'], 'zts'>,
  kind: RecordKind,
): RecordDatabaseProperties => ({
  address: zts[`${kind}JdbcStore`],
  user: zts[`${kind}JdbcUser`],
  passwordName: zts[`${kind}JdbcPassword`],
  appName: zts[`${kind}JdbcAppName`],
  keyGroup: zts[`${kind}JdbcKeygroupName`],
  tls: zts[`${kind}JdbcUseSsl`] && {
    verifyServer: zts[`${kind}JdbcVerifyServerCertificate`],
    versions: TLS_VERSIONS,
  },
})
