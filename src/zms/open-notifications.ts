import type { Registry } from 'prom-client'
import type { AuthorityContext } from '#core/authority/authority.ts'
import type { LoadedAuthorities } from '#core/authority/load.ts'
import type { ConfigOf } from '#core/config/server-tables.ts'
import type { PrivateKeyStore } from '#core/crypto/private-key-store.ts'
import type { Logger } from '#core/log/logger.ts'
import { openNotificationAuthority } from '#core/notification/notification-authority.ts'
import { openOutbox } from '#core/notification/open-outbox.ts'
import { DailyRun } from './notification/daily-run.ts'
import { tellOfRequests } from './notification/request-notices.ts'
import type { ZmsDependencies } from './service/dependencies.ts'

/** Notifications of a running server. */
export interface Notifications {
  /** What is done once a day; called more often, what failed is tried again. */
  run(): Promise<void>
  /** The server ends: what waits is still sent, unless a sender fails. */
  stop(): void
  close(): Promise<void>
}

/** What notifications are opened with. */
export interface NotificationsOptions {
  readonly config: ConfigOf['zms']
  readonly deps: ZmsDependencies
  readonly authorities: LoadedAuthorities
  readonly authorityContext: AuthorityContext
  readonly privateKeyStore: PrivateKeyStore
  readonly registry: Registry
  readonly log: Logger
}

/**
 * Opens the senders and tells people of requests and decisions from now on; undefined when no sender is configured.
 * @throws ConfigError with the reason
 */
export async function openNotifications(options: NotificationsOptions): Promise<Notifications | undefined> {
  const { config, deps, authorities, authorityContext, privateKeyStore, registry, log } = options
  const { zms } = config
  if (zms.notificationServiceFactoryClass.length === 0) return undefined
  const { authority, close } = await openNotificationAuthority(
    config.notification.userAuthority,
    { authorities, classNames: zms.authorityClasses, directory: zms.rootDir },
    authorityContext,
  )
  try {
    const outbox = await openOutbox({
      server: 'zms',
      classNames: zms.notificationServiceFactoryClass,
      directory: zms.rootDir,
      config,
      privateKeyStore,
      userAuthority: authority,
      log,
      registry,
      now: deps.now,
    })
    if (!outbox) return undefined
    const daily = new DailyRun(deps, outbox)
    const requests = tellOfRequests(deps, outbox)
    return {
      run: () => daily.run(),
      stop: () => outbox.stop(),
      close: async () => {
        await requests.close()
        await outbox.close()
        await close()
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}
