import { type AuditLog } from '#core/audit/audit-log.ts'
import { openAuditLog } from '#core/audit/open-audit-log.ts'
import { RemoteAuditLog, serveAuditLog } from '#core/audit/remote-audit-log.ts'
import type { LoadedConfig } from '#core/config/server-config.ts'
import type { ConfigOf } from '#core/config/server-tables.ts'
import { openPrivateKeyStore } from '#core/crypto/open-private-key-store.ts'
import type { PrivateKeyStore } from '#core/crypto/private-key-store.ts'
import { openAuthHistory } from '#core/history/open-auth-history.ts'
import { isKeptByOneProcess, serveAuthHistory } from '#core/history/remote-auth-history.ts'
import type { Logger } from '#core/log/logger.ts'
import { Closers } from '#core/main/closers.ts'
import type { SharedParts, SharedPartsOptions } from '#core/main/run-workers.ts'
import type { WorkerSeat } from '#core/workers/worker-seat.ts'

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

/** Opens the audit log: that of the primary process in a worker. */
export function openZmsAuditLog({ config, privateKeyStore, log }: PartsOptions, seat?: WorkerSeat): Promise<AuditLog> {
  if (seat) {
    return RemoteAuditLog.open(seat.primary, (error) =>
      log.warn({ err: error }, 'the state of the audit log is not known'),
    )
  }
  const { auditLoggerFactoryClass: className, hostname, rootDir } = config.zms
  return openAuditLog({ server: 'zms', className, hostname, rootDir, config, privateKeyStore, log })
}

/** How the history of authentication is opened. */
export const authHistoryOptions = ({ config, privateKeyStore }: Omit<PartsOptions, 'log'>) => ({
  server: 'zms' as const,
  property: 'athenz.zms.auth_history_store_factory_class',
  rootDir: config.zms.rootDir,
  config,
  privateKeyStore,
  now: Date.now,
})

/** Opens what a ZMS with workers has once: the audit log, and a history of authentication in files. */
export async function openSharedParts({ loaded, log }: SharedPartsOptions<'zms'>): Promise<SharedParts> {
  const { config } = loaded
  const closers = new Closers()
  try {
    const privateKeyStore = closers.keep(await openZmsPrivateKeyStore(loaded, log))
    const audit = closers.keep(await openZmsAuditLog({ config, privateKeyStore, log }))
    const { authHistoryStoreFactoryClass: className } = config.zms
    const history =
      className !== undefined && isKeptByOneProcess(className)
        ? closers.keep(await openAuthHistory({ ...authHistoryOptions({ config, privateKeyStore }), className }))
        : undefined
    return {
      attach(calls) {
        serveAuditLog(calls, audit)
        if (history) serveAuthHistory(calls, history)
      },
      close: () => closers.close(),
    }
  } catch (error) {
    await closers.close()
    throw error
  }
}
