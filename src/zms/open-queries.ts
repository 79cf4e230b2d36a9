import type { StoreQueries } from './store/store.ts'
import type { DataLocation } from './transfer/data-location.ts'
import { TransferError } from './transfer/transfer-error.ts'

/** Data that are read and not changed. */
export interface OpenedQueries {
  readonly queries: StoreQueries
  close(): Promise<void>
}

const RETRY = { count: 3, sleepMillis: 250, totalMillis: 5000 }
const POOL = {
  maxTotal: 2,
  maxIdle: 2,
  minIdle: 0,
  maxWaitMillis: -1,
  idleTimeoutMillis: 60_000,
  evictIntervalMillis: 60_000,
  maxLifetimeMillis: 600_000,
}

/**
 * Opens a store for questions. Servers may work on a database meanwhile; an embedded store belongs to one process, so its
 * server must not run.
 * @throws TransferError when there is no store, and what opening a store throws
 */
export async function openQueries(location: DataLocation): Promise<OpenedQueries> {
  if (location.kind === 'file') {
    const { lockFileData } = await import('./store/file/file-store.ts')
    const { MemoryQueries } = await import('./store/file/memory-queries.ts')
    const data = await lockFileData({ folder: location.folder })
    if (!data) throw new TransferError(`${location.folder}: there is no data store`)
    return { queries: new MemoryQueries(data.memory), close: async () => data.release() }
  }
  const { MySqlStore } = await import('./store/mysql/mysql-store.ts')
  const store = new MySqlStore({ primary: location.settings, pool: POOL, retry: RETRY })
  return { queries: store, close: () => store.close() }
}
