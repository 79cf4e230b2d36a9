import { loadPlugIn, missingMethods, type PlugInPoint } from '#core/config/plug-in.ts'
import type { ConfigOf } from '#core/config/server-tables.ts'
import type { PrivateKeyStore } from '#core/crypto/private-key-store.ts'
import type { Logger } from '#core/log/logger.ts'
import { type ChangePublisher, publishingListener } from './service/change-messages.ts'
import type { Writes } from './service/writes.ts'

/** What a publisher is opened with; a plug-in gets the same. */
export interface ChangePublisherOptions {
  readonly topic: string
  readonly config: ConfigOf['zms']
  readonly privateKeyStore: PrivateKeyStore
  readonly log: Logger
}

const NO_PUBLISHER = 'com.yahoo.athenz.common.messaging.impl.NoOpDomainChangePublisherFactory'

/**
 * Opens the publisher that `athenz.zms.domain_change_publisher_factory_class` selects for each topic; none when the
 * original's class for none is selected, or no topic is named. Throws ConfigError with the reason.
 */
export async function openChangePublishers(options: Omit<ChangePublisherOptions, 'topic'>): Promise<ChangePublisher[]> {
  const { zms } = options.config
  const className = zms.domainChangePublisherFactoryClass
  if (className === NO_PUBLISHER) return []
  if (zms.domainChangesTopicNames.length === 0) {
    options.log.warn(
      'athenz.zms.domain_changes_topic_names: not set, so no messages about changes are published (name the topics)',
    )
  }
  const point: PlugInPoint<ChangePublisher, [ChangePublisherOptions]> = {
    property: 'athenz.zms.domain_change_publisher_factory_class',
    what: 'publisher of changes',
    builtIn: new Map<string, (options: ChangePublisherOptions) => ChangePublisher | Promise<ChangePublisher>>([
      ['log', logPublisher],
      ['webhook', openWebhook],
    ]),
    problemsOf: missingMethods('publish'),
    directory: zms.rootDir,
  }
  const publishers: ChangePublisher[] = []
  for (const topic of new Set(zms.domainChangesTopicNames)) {
    publishers.push(await loadPlugIn(className, point, { ...options, topic }))
  }
  return publishers
}

/** Opens the publishers and lets them publish what is written; gives what closes them. Throws ConfigError. */
export async function startPublishing(
  options: Omit<ChangePublisherOptions, 'topic'>,
  writes: Pick<Writes, 'onChange'>,
): Promise<() => Promise<void>> {
  const publishers = await openChangePublishers(options)
  const failed = (err: unknown) => options.log.error({ err }, 'a message about a change was not published')
  if (publishers.length > 0) writes.onChange(publishingListener(publishers, { now: Date.now, failed }))
  return async () => {
    await Promise.all(publishers.map(async (publisher) => publisher.close?.()))
  }
}

const logPublisher = ({ topic, log }: ChangePublisherOptions): ChangePublisher => ({
  publish: (message) => log.info({ topic, change: message }, 'a change was published'),
})

async function openWebhook({ topic, config, privateKeyStore, log }: ChangePublisherOptions): Promise<ChangePublisher> {
  const { zms } = config
  // The HTTP library takes time and memory that servers without a webhook need not spend.
  const { webhookOptions } = await import('#core/http/webhook.ts')
  const options = await webhookOptions(
    {
      url: zms.changeWebhookUrl,
      secret: zms.changeWebhookSecret,
      keyGroup: zms.changeWebhookKeyGroup,
      caFile: zms.changeWebhookCaFile,
      timeoutMillis: zms.changeWebhookTimeoutMillis,
      retries: zms.changeWebhookRetries,
    },
    { prefix: 'athenz.ts.change_webhook', appName: 'zms', privateKeyStore, log },
  )
  const { WebhookPublisher } = await import('./service/webhook-publisher.ts')
  return new WebhookPublisher({ ...options, topic, queueMax: zms.changeWebhookQueueMax })
}
