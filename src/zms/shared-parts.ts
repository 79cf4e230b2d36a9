import type { AuditLogOptions } from '#core/audit/open-audit-log.ts'
import type { LoadedConfig } from '#core/config/server-config.ts'
import type { ConfigOf } from '#core/config/server-tables.ts'
import { openPrivateKeyStore } from '#core/crypto/open-private-key-store.ts'
import type { PrivateKeyStore } from '#core/crypto/private-key-store.ts'
import type { Logger } from '#core/log/logger.ts'
import { Closers } from '#core/main/closers.ts'
import type { SharedParts, SharedPartsOptions } from '#core/main/run-workers.ts'
import { openSharedRecords } from '#core/main/shared-records.ts'
import { isEmbedded, openEmbedded } from './open-store.ts'
import { StoreFeed } from './store/file/store-feed.ts'

/** What parts are opened with. */
export interface PartsOptions {
  readonly config: ConfigOf['zms']
  readonly privateKeyStore: PrivateKeyStore
  readonly log: Logger
}

/** Opens the store of private keys that the configuration names. */
export function openZmsPrivateKeyStore(loaded: LoadedConfig<ConfigOf['zms']>, log: Logger): Promise<PrivateKeyStore> {
  const { privateKeyStoreFactoryClass: className, rootDir } = loaded.config.zms
  const property = 'athenz.zms.private_key_store_factory_class'
  return openPrivateKeyStore(loaded, { property, className, rootDir, log: (level, message) => log[level](message) })
}

/** How the audit log is opened. */
export function auditLogOptions({ config, privateKeyStore, log }: PartsOptions): AuditLogOptions {
  const { auditLoggerFactoryClass: className, hostname, rootDir } = config.zms
  return { server: 'zms', className, hostname, rootDir, config, privateKeyStore, log }
}

/** How the history of authentication is opened. */
export const authHistoryOptions = ({ config, privateKeyStore }: PartsOptions) => ({
  server: 'zms' as const,
  property: 'athenz.zms.auth_history_store_factory_class',
  className: config.zms.authHistoryStoreFactoryClass,
  rootDir: config.zms.rootDir,
  config,
  privateKeyStore,
  now: Date.now,
})

/** Opens what a ZMS with workers has once: besides what any server has, the embedded store. */
export async function openSharedParts({ loaded, log, counter }: SharedPartsOptions<'zms'>): Promise<SharedParts> {
  const { config } = loaded
  const closers = new Closers()
  try {
    const privateKeyStore = closers.keep(await openZmsPrivateKeyStore(loaded, log))
    const parts = { config, privateKeyStore, log }
    const records = closers.keep(
      await openSharedRecords({ audit: auditLogOptions(parts), history: authHistoryOptions(parts) }),
    )
    const say = (level: 'info' | 'warn' | 'error', message: string) => log[level](message)
    const store = isEmbedded(config) ? closers.keep(await openEmbedded({ config, log: say })) : undefined
    const feed = store && new StoreFeed(store, counter)
    return {
      attach(calls, number) {
        records.attach(calls, number)
        feed?.attach(calls)
      },
      close: () => closers.close(),
    }
  } catch (error) {
    await closers.close()
    throw error
  }
}
