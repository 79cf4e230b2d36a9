import type { Registry } from 'prom-client'
import type { Authority } from '../authority/authority.ts'
import { ConfigError } from '../config/config-error.ts'
import { loadPlugIn, missingMethods, type PlugInPoint } from '../config/plug-in.ts'
import type { SharedConfig } from '../config/server-tables.ts'
import type { PrivateKeyStore } from '../crypto/private-key-store.ts'
import { isThisMachine, readAuthorities } from '../http/receiver.ts'
import type { Logger } from '../log/logger.ts'
import { splitPrincipalName } from '../names/principal-name.ts'
import { isMailbox } from './mailbox.ts'
import type { MessageFrame } from './message-text.ts'
import type { NotificationSender } from './notice.ts'
import { notificationJson } from './notification-json.ts'
import { Outbox } from './outbox.ts'

/** What a sender is opened with; a plug-in gets the same. */
export interface SenderOptions {
  readonly server: 'zms' | 'zts'
  readonly config: SharedConfig
  readonly privateKeyStore: PrivateKeyStore
  /** Knows the addresses of users, where it knows any. */
  readonly userAuthority: Authority | undefined
  /** Page about failing certificates, for messages of ZTS. */
  readonly guideUrl?: string | undefined
  readonly log: Logger
}

/** What an outbox is opened with. */
export interface OutboxParts extends SenderOptions {
  /** The senders that `athenz.{server}.notification_service_factory_class` lists. */
  readonly classNames: readonly string[]
  /** Relative paths of modules count from here. */
  readonly directory: string
  readonly registry: Registry
  readonly now: () => number
}

/**
 * Opens the senders; undefined when none is listed. The class of the original, which sends mail, is ours.
 * @throws ConfigError with the reason
 */
export async function openOutbox(parts: OutboxParts): Promise<Outbox | undefined> {
  const { server, classNames, directory, config, log, registry, now } = parts
  const point: PlugInPoint<NotificationSender, [SenderOptions]> = {
    property: `athenz.${server}.notification_service_factory_class`,
    what: 'sender of notifications',
    builtIn: new Map<string, (options: SenderOptions) => NotificationSender | Promise<NotificationSender>>([
      ['email', openEmail],
      ['com.yahoo.athenz.common.server.notification.impl.NotificationServiceFactoryImpl', openEmail],
      ['webhook', openWebhook],
      ['log', logSender],
    ]),
    problemsOf: (candidate) => [
      ...(typeof (candidate as { name?: unknown }).name === 'string' ? [] : ['the text name']),
      ...missingMethods('send')(candidate),
    ],
    directory,
  }
  if (classNames.length === 0) return undefined
  const senders: NotificationSender[] = []
  for (const className of new Set(classNames)) senders.push(await loadPlugIn(className, point, parts))
  return new Outbox({ senders, digest: config.notification.digest, now, log, registry })
}

const logSender = ({ log }: SenderOptions): NotificationSender => ({
  name: 'log',
  send: async (notification) => log.info({ notification: notificationJson(notification) }, 'a notification'),
})

async function openWebhook({ server, config, privateKeyStore, log }: SenderOptions): Promise<NotificationSender> {
  const { notification } = config
  // The HTTP library takes time and memory that servers without a webhook need not spend.
  const { webhookOptions } = await import('../http/webhook.ts')
  const options = await webhookOptions(
    {
      url: notification.webhookUrl,
      secret: notification.webhookSecret,
      keyGroup: notification.webhookKeyGroup,
      caFile: notification.webhookCaFile,
      timeoutMillis: notification.webhookTimeoutMillis,
      retries: notification.webhookRetries,
    },
    { prefix: 'athenz.ts.notification.webhook', appName: server, privateKeyStore, log },
  )
  const { WebhookSender } = await import('./webhook-sender.ts')
  return new WebhookSender(options)
}

async function openEmail(options: SenderOptions): Promise<NotificationSender> {
  const { server, config, privateKeyStore, userAuthority, log } = options
  const { notification, userDomain } = config
  const host = required('athenz.ts.notification.smtp_host', notification.smtpHost, 'name the mail server')
  const name = required('athenz.notification_email_from', notification.emailFrom, 'name the sender of mails')
  const fromDomain = required(
    'athenz.notification_email_domain_from',
    notification.emailDomainFrom,
    'give the domain of that sender',
  )
  const from = `${name}@${fromDomain}`
  if (!isMailbox(from)) {
    throw new ConfigError([`athenz.notification_email_from: ${from} is no address (write a name without spaces)`])
  }
  const toDomain = notification.emailDomainTo
  if (toDomain === undefined && !userAuthority?.userEmail) {
    throw new ConfigError([
      'athenz.notification_email_domain_to: not set, and no authority knows addresses (give the domain of the users)',
    ])
  }
  if (toDomain !== undefined && !isMailbox(`user@${toDomain}`)) {
    throw new ConfigError([`athenz.notification_email_domain_to: ${toDomain} is no domain of addresses`])
  }
  if (notification.smtpTls === 'none' && !isThisMachine(host)) {
    throw new ConfigError([
      `athenz.ts.notification.smtp_tls: mails to ${host} would not be encrypted (write starttls or tls)`,
    ])
  }
  const { smtpUser: user, smtpPassword: secret, smtpCaFile: caFile } = notification
  if (user !== undefined && secret === undefined) {
    throw new ConfigError(['athenz.ts.notification.smtp_password: not set, but smtp_user is (give both)'])
  }
  const password =
    user === undefined || secret === undefined
      ? undefined
      : await privateKeyStore.applicationSecret(server, notification.smtpKeyGroup, secret)
  const ca = caFile === undefined ? undefined : await readAuthorities('athenz.ts.notification.smtp_ca_file', caFile)
  const { EmailSender } = await import('./email-sender.ts')
  return new EmailSender({
    smtp: {
      host,
      port: notification.smtpPort,
      tls: notification.smtpTls,
      ...(ca !== undefined && { ca }),
      ...(user !== undefined && password !== undefined && { login: { user, password } }),
      timeoutMillis: notification.smtpTimeoutMillis,
    },
    from,
    addressOf: async (fullName) => {
      const known = await userAuthority?.userEmail?.(fullName)
      if (known !== undefined) return known
      const parts = splitPrincipalName(fullName)
      return toDomain !== undefined && parts?.domain === userDomain ? `${parts.name}@${toDomain}` : undefined
    },
    frame: messageFrame(config, options.guideUrl),
    html: notification.html,
    log,
  })
}

function required(property: string, value: string | undefined, advice: string): string {
  if (value === undefined) throw new ConfigError([`${property}: not set (${advice})`])
  return value
}

/** What the properties say of the words around facts. */
export function messageFrame({ notification }: Pick<SharedConfig, 'notification'>, guideUrl?: string): MessageFrame {
  return {
    subjects: {
      roleApproval: notification.emailMembershipApprovalSubject,
      groupApproval: notification.emailGroupMembershipApprovalSubject,
      roleReminder: notification.emailMembershipReminderSubject,
      groupReminder: notification.emailGroupMembershipReminderSubject,
      roleExpiry: notification.emailRoleMemberExpirySubject,
      roleExpiryAdmin: notification.emailDomainRoleMemberExpirySubject,
      roleReview: notification.emailRoleMemberReviewSubject,
      roleReviewAdmin: notification.emailDomainRoleMemberReviewSubject,
      groupExpiry: notification.emailGroupMemberExpirySubject,
      groupExpiryAdmin: notification.emailDomainGroupMemberExpirySubject,
      roleApproved: notification.emailPendingRoleMembershipDecisionApprovalSubject,
      roleRejected: notification.emailPendingRoleMembershipDecisionRejectSubject,
      groupApproved: notification.emailPendingGroupMembershipDecisionApprovalSubject,
      groupRejected: notification.emailPendingGroupMembershipDecisionRejectSubject,
      certificateRefresh: notification.emailUnrefreshedCertsSubject,
      digest: notification.emailDigestSubject,
    },
    workflowUrl: notification.workflowUrl,
    uiUrl: notification.athenzUiUrl,
    supportText: notification.supportText,
    supportUrl: notification.supportUrl,
    guideUrl,
  }
}
