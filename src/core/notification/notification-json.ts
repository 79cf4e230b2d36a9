import type { NoticeItem, Notification } from './notice.ts'
import { topics } from './topics.ts'

const TIMES: ReadonlySet<string> = new Set(['expiration', 'reviewReminder', 'requestTime', 'updateTime'])

/**
 * A notification as data: `{"id","created","recipients":[…],"domain"?,"slackChannel"?,"notifications":[{"type",
 * "audience","details":{"rolesList":[…]}}]}`. The names of types and details are the original's; times are ISO texts.
 */
export function notificationJson({ id, created, recipients, domain, sections }: Notification): object {
  return {
    id,
    created: new Date(created).toISOString(),
    recipients,
    ...(domain && { domain: domain.name }),
    ...(domain?.slackChannel !== undefined && { slackChannel: domain.slackChannel }),
    notifications: sections.map(({ topic, items }) => {
      const { type, audience, list } = topics[topic]
      return { type, audience, details: { [list]: items.map(itemJson) } }
    }),
  }
}

const itemJson = (item: NoticeItem): object =>
  Object.fromEntries(
    Object.entries(item).map(([key, value]: [string, string | number]) => [
      key,
      TIMES.has(key) ? new Date(value).toISOString() : value,
    ]),
  )
