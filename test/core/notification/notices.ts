import type { Notice, Notification } from '#core/notification/notice.ts'
import type { NotificationTopic } from '#core/notification/topics.ts'

/** The time of the tests. */
export const NOW = Date.UTC(2030, 0, 2, 3, 4, 5)
export const DAY_MILLIS = 86_400_000

/** A notice that a membership in `sports:role.{role}` ends in some days. */
export const expiry = (
  role: string,
  people: readonly string[],
  { topic = 'roleExpiry', days = 7, domain }: { topic?: NotificationTopic; days?: number; domain?: string } = {},
): Notice => ({
  topic,
  item: { domain: 'sports', role, member: 'user.joe', expiration: NOW + days * DAY_MILLIS },
  people: new Set(people),
  ...(domain !== undefined && { domain: { name: domain, slackChannel: `${domain}-channel` } }),
})

/** A notification of that one notice. */
export const notificationOf = (
  { topic, item }: Notice,
  recipients: readonly string[] = ['user.joe'],
): Notification => ({
  id: '00000000-0000-4000-8000-000000000001',
  created: NOW,
  recipients,
  sections: [{ topic, items: [item] }],
})
