import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { ConfigError } from '#core/config/config-error.ts'
import { loadPlugIn, missingMethods, type PlugInPoint } from '#core/config/plug-in.ts'
import type { ConfigOf } from '#core/config/server-tables.ts'
import type { PrivateKeyStore } from '#core/crypto/private-key-store.ts'
import { messageOf } from '#core/error/message-of.ts'
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
  if (zms.changeWebhookUrl === undefined) {
    throw new ConfigError(['athenz.ts.change_webhook_url: not set (give the URL that messages are posted to)'])
  }
  const url = new URL(zms.changeWebhookUrl)
  if (url.protocol !== 'https:' && !isThisMachine(url.hostname)) {
    throw new ConfigError([`athenz.ts.change_webhook_url: ${url.href} is not encrypted (write https://…)`])
  }
  const secretName = zms.changeWebhookSecret
  const secret =
    secretName === undefined
      ? undefined
      : await privateKeyStore.applicationSecret('zms', zms.changeWebhookKeyGroup, secretName)
  const ca = zms.changeWebhookCaFile === undefined ? undefined : await readAuthorities(zms.changeWebhookCaFile)
  // Its HTTP library takes time and memory that servers without a webhook need not spend.
  const { WebhookPublisher } = await import('./service/webhook-publisher.ts')
  return new WebhookPublisher({
    url,
    topic,
    ...(secret !== undefined && { secret }),
    ...(ca !== undefined && { ca }),
    timeoutMillis: zms.changeWebhookTimeoutMillis,
    retries: zms.changeWebhookRetries,
    queueMax: zms.changeWebhookQueueMax,
    log,
    now: Date.now,
  })
}

const isThisMachine = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || (isIP(host) === 4 && host.startsWith('127.'))

async function readAuthorities(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    const reason = messageOf(cause)
    throw Object.assign(new ConfigError([`athenz.ts.change_webhook_ca_file: ${reason}`]), { cause })
  }
}
