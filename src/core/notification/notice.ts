import type { NotificationTopic } from './topics.ts'

/**
 * One fact that people are told of, under the names that messages have for them. Times are epoch milliseconds, all other
 * values are texts for people; names are full names except that roles and groups are local to `domain`.
 */
export interface NoticeItem {
  readonly domain: string
  readonly role?: string
  readonly group?: string
  readonly member?: string
  readonly expiration?: number
  readonly reviewReminder?: number
  readonly requestTime?: number
  readonly requester?: string
  /** Why it was asked for. */
  readonly reason?: string
  /** `ADD` or `DELETE`. */
  readonly pendingState?: string
  /** `approve` or `reject`. */
  readonly membershipDecision?: string
  /** Who decided. */
  readonly actionPrincipal?: string
  /** What the owners of the role or group say about it. */
  readonly notifyDetails?: string
  readonly service?: string
  readonly provider?: string
  readonly instanceId?: string
  readonly hostName?: string
  /** When its certificate was issued last. */
  readonly updateTime?: number
  /** Server that has seen it. */
  readonly server?: string
}

/** A domain whose people are told something in a place of their own. */
export interface NoticeDomain {
  readonly name: string
  readonly slackChannel?: string
}

/** A fact and whom it concerns. */
export interface Notice {
  readonly topic: NotificationTopic
  readonly item: NoticeItem
  /** Full names of users. */
  readonly people: ReadonlySet<string>
  /** The domain they speak for; undefined when they are told as persons. */
  readonly domain?: NoticeDomain
}

/** Facts of one topic. */
export interface NotificationSection {
  readonly topic: NotificationTopic
  readonly items: readonly NoticeItem[]
}

/** What somebody is told at once. */
export interface Notification {
  /** A UUID; the same when it is sent again. */
  readonly id: string
  /** Epoch milliseconds. */
  readonly created: number
  /** Full names of users, who do not learn of each other. */
  readonly recipients: readonly string[]
  readonly domain?: NoticeDomain
  /** One, except in a digest. */
  readonly sections: readonly NotificationSection[]
}

/**
 * Brings notifications to people. A plug-in: `athenz.zms.notification_service_factory_class` (or `athenz.zts.…`) may
 * name an ES module that exports a class or a function; it is called with {@link SenderOptions}.
 */
export interface NotificationSender {
  /** For log and metrics. */
  readonly name: string
  /**
   * How facts are put together for it: one notification for each person (and those who are told the same share one), or
   * one for each domain, for places such as the channel of its people. `principal` when absent.
   */
  readonly consolidation?: 'principal' | 'domain'
  /** Most recipients of one notification; any number when absent. */
  readonly recipientsMax?: number
  /** Rejects when it could not be sent; it is tried again later. */
  send(notification: Notification): Promise<void>
  close?(): Promise<void> | void
}
