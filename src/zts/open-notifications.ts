import type { Registry } from 'prom-client'
import type { AuthorityContext } from '#core/authority/authority.ts'
import type { LoadedAuthorities } from '#core/authority/load.ts'
import type { PrivateKeyStore } from '#core/crypto/private-key-store.ts'
import type { Logger } from '#core/log/logger.ts'
import { PeriodicJob } from '#core/main/periodic-job.ts'
import { openNotificationAuthority } from '#core/notification/notification-authority.ts'
import { openOutbox } from '#core/notification/open-outbox.ts'
import { UnrefreshedCertificates, type UnrefreshedParts } from './notification/unrefreshed-certificates.ts'

const HOUR_MILLIS = 3_600_000

/** What notifications are started with. */
export interface NotificationsOptions extends UnrefreshedParts {
  readonly authorities: LoadedAuthorities
  readonly authorityContext: AuthorityContext
  readonly privateKeyStore: PrivateKeyStore
  readonly registry: Registry
  readonly logger: Logger
}

/**
 * Tells people of certificates that are not refreshed, from now on; gives what ends that. Does nothing when no sender is
 * configured, or no provider is watched.
 * @throws ConfigError with the reason
 */
export async function startNotifications(options: NotificationsOptions): Promise<() => Promise<void>> {
  const { config, authorities, authorityContext, privateKeyStore, registry, logger, now, log } = options
  const { zts } = config
  const classNames = zts.notificationServiceFactoryClass
  if (classNames.length === 0) return async () => {}
  if (zts.notificationCertFailProviderList.length === 0) {
    log('warn', 'athenz.zts.notification_cert_fail_provider_list: not set, so nobody is told of certificates')
    return async () => {}
  }
  const { authority, close } = await openNotificationAuthority(
    config.notification.userAuthority,
    { authorities, classNames: zts.authorityClasses, directory: zts.rootDir },
    authorityContext,
  )
  try {
    const outbox = await openOutbox({
      server: 'zts',
      classNames,
      directory: zts.rootDir,
      config,
      privateKeyStore,
      userAuthority: authority,
      guideUrl: zts.notificationCertFailAthenzGuide,
      log: logger,
      registry,
      now,
    })
    if (!outbox) return close
    const unrefreshed = new UnrefreshedCertificates(options, outbox)
    const work = async () => {
      if (!zts.readOnlyMode.value) await unrefreshed.run()
    }
    const name = 'the notification of people'
    const job = PeriodicJob.start({ name, work, intervalMillis: HOUR_MILLIS, log })
    return async () => {
      outbox.stop()
      await job.stop()
      await outbox.close()
      await close()
    }
  } catch (error) {
    await close()
    throw error
  }
}
