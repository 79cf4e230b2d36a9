import type { ConfigOf } from '#core/config/server-tables.ts'
import { consolidate } from '#core/notification/consolidate.ts'
import { startOfDay } from '#core/notification/days.ts'
import type { Notice, Notification } from '#core/notification/notice.ts'
import { principalDomainsOf } from '../service/principal-domains.ts'
import type { NoticeSubject } from '../store/notices.ts'
import type { StoreQueries } from '../store/store.ts'
import { dueSubjects, noticesOf } from './daily-notices.ts'
import { expiredRequests } from './expired-requests.ts'
import { NOTICE_WAYS, type NoticeWay } from './notice-kinds.ts'
import { Recipients } from './recipients.ts'

/** What a daily run would do. */
export interface PreviewedDay {
  /** Time of the run in epoch milliseconds. */
  readonly time: number
  /** Requests that would be rejected. */
  readonly rejected: readonly (NoticeSubject & { readonly kind: 'role' | 'group' })[]
  readonly notifications: readonly Notification[]
}

const DAY_MILLIS = 86_400_000

/**
 * What the daily runs from `from` (epoch milliseconds) on would do, for some days, if the data stayed as they are. Sends
 * nothing and changes nothing; what people were told of today already is left out.
 */
export async function* previewRuns(
  { config, queries }: { readonly config: ConfigOf['zms']; readonly queries: StoreQueries },
  { from, days }: { readonly from: number; readonly days: number },
): AsyncGenerator<PreviewedDay> {
  const settled = new Set<string>()
  for (let day = 0; day < days; day++) {
    // Later days begin at midnight, so that nothing of them is over already.
    const time = day === 0 ? from : startOfDay(from) + day * DAY_MILLIS
    const recipients = new Recipients({ queries, principals: principalDomainsOf(config), now: time })
    const rejected: (NoticeSubject & { kind: 'role' | 'group' })[] = []
    const notices: Notice[] = []
    for (const way of NOTICE_WAYS) {
      const isOpen = (subject: NoticeSubject) => !settled.has(keyOf(way, subject))
      if (way.kind === 'pendingRole' || way.kind === 'pendingGroup') {
        const expired = (await expiredRequests({ config, store: queries }, way.kind, time)).filter(isOpen)
        for (const request of expired) settled.add(keyOf(way, request))
        rejected.push(...expired.map((request) => ({ ...request, kind: way.collection.kind })))
      }
      const subjects = (await dueSubjects(queries, way, time)).filter(isOpen)
      const made = await noticesOf({ config, recipients, now: time }, way, subjects)
      notices.push(...made.map(({ notice }) => notice))
    }
    const how = {
      by: 'principal',
      recipientsMax: Number.POSITIVE_INFINITY,
      digest: config.notification.digest,
    } as const
    yield { time, rejected, notifications: consolidate(notices, { ...how, now: time }) }
  }
}

const keyOf = ({ kind }: NoticeWay, { domain, collection, member }: NoticeSubject) =>
  JSON.stringify([kind, domain, collection, member])
