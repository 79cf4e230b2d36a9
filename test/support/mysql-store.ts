import type { MySqlSettings } from '#core/database/mysql-connection.ts'
import type { PoolLimits } from '#core/database/mysql-pool.ts'
import { MySqlStore, type MySqlStoreOptions } from '#zms/store/mysql/mysql-store.ts'
import type { MariaDb } from './mariadb.ts'

/** How the tests reach a database of their server. */
export const settingsFor = (db: Pick<MariaDb, 'host' | 'port'>, database: string): MySqlSettings => ({
  host: db.host,
  port: db.port,
  database,
  user: 'root',
  connectTimeoutMillis: 5000,
  statementTimeoutMillis: 20_000,
})

/** The pool limits that the server has by default. */
export const POOL_LIMITS: PoolLimits = {
  maxTotal: 8,
  maxIdle: 8,
  minIdle: 0,
  maxWaitMillis: -1,
  idleTimeoutMillis: 1_800_000,
  evictIntervalMillis: 1_800_000,
  maxLifetimeMillis: 600_000,
}

/** A store of its own on a database, as one server process has it. */
export function openStore(
  db: Pick<MariaDb, 'host' | 'port'>,
  database: string,
  options: Partial<MySqlStoreOptions> = {},
): MySqlStore {
  return new MySqlStore({
    primary: settingsFor(db, database),
    pool: POOL_LIMITS,
    retry: { count: 120, sleepMillis: 250, totalMillis: 20_000 },
    ...options,
  })
}
