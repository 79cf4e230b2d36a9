import type { AuditLogOptions } from '#core/audit/open-audit-log.ts'
import type { LoadedConfig } from '#core/config/server-config.ts'
import type { ConfigOf } from '#core/config/server-tables.ts'
import { openPrivateKeyStore } from '#core/crypto/open-private-key-store.ts'
import type { PrivateKeyStore } from '#core/crypto/private-key-store.ts'
import type { Logger } from '#core/log/logger.ts'
import { Closers } from '#core/main/closers.ts'
import type { SharedParts, SharedPartsOptions } from '#core/main/run-workers.ts'
import { openSharedRecords } from '#core/main/shared-records.ts'
import { openRecordsInFiles } from './open-records.ts'

/** What parts are opened with. */
export interface PartsOptions {
  readonly config: ConfigOf['zts']
  readonly privateKeyStore: PrivateKeyStore
  readonly log: Logger
}

/** Opens the store of private keys that the configuration names. */
export function openZtsPrivateKeyStore(loaded: LoadedConfig<ConfigOf['zts']>, log: Logger): Promise<PrivateKeyStore> {
  const { privateKeyStoreFactoryClass: className, rootDir } = loaded.config.zts
  const property = 'athenz.zts.private_key_store_factory_class'
  return openPrivateKeyStore(loaded, { property, className, rootDir, log: (level, message) => log[level](message) })
}

/** How the audit log is opened. */
export function auditLogOptions({ config, privateKeyStore, log }: PartsOptions): AuditLogOptions {
  const { auditLoggerFactoryClass: className, hostname, rootDir } = config.zts
  return { server: 'zts', className, hostname, rootDir, config, privateKeyStore, log }
}

/** How the history of authentication is opened. */
export const authHistoryOptions = ({ config, privateKeyStore }: PartsOptions) => ({
  server: 'zts' as const,
  property: 'athenz.ts.auth_history_store_factory_class',
  className: config.zts.authHistoryStoreFactoryClass,
  rootDir: config.zts.rootDir,
  config,
  privateKeyStore,
  now: Date.now,
})

/** Opens what a ZTS with workers has once: besides what any server has, the records that are kept in files. */
export async function openSharedParts({ loaded, log }: SharedPartsOptions<'zts'>): Promise<SharedParts> {
  const { config } = loaded
  const closers = new Closers()
  try {
    const privateKeyStore = closers.keep(await openZtsPrivateKeyStore(loaded, log))
    const parts = { config, privateKeyStore, log }
    const shared = closers.keep(
      await openSharedRecords({ audit: auditLogOptions(parts), history: authHistoryOptions(parts) }),
    )
    const say = (level: 'info' | 'warn' | 'error', message: string) => log[level](message)
    const records = closers.keep(await openRecordsInFiles({ config, privateKeyStore, log: say }))
    return {
      attach(calls, number) {
        shared.attach(calls, number)
        records.attach(calls)
      },
      close: () => closers.close(),
    }
  } catch (error) {
    await closers.close()
    throw error
  }
}
