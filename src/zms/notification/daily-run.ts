import { OnceADay, startOfDay } from '#core/notification/days.ts'
import type { Notice } from '#core/notification/notice.ts'
import type { Outbox } from '#core/notification/outbox.ts'
import type { ZmsDependencies } from '../service/dependencies.ts'
import { principalDomainsOf } from '../service/principal-domains.ts'
import { dueSubjects, noticesOf } from './daily-notices.ts'
import { rejectExpiredRequests } from './expired-requests.ts'
import { NOTICE_WAYS, type NoticeWay } from './notice-kinds.ts'
import { Recipients } from './recipients.ts'

/** Parts of the server that notifications work with. */
export type NotificationParts = Pick<ZmsDependencies, 'config' | 'store' | 'writes' | 'now' | 'log'>

/**
 * What is done once on each day (UTC): requests that nobody decided are rejected, and people are told of what is due. It
 * may be run more often: then only what could not be sent is tried again, and everything, when it failed. However many
 * servers work on the same data, one of them tells of each membership.
 */
export class DailyRun {
  readonly #parts: NotificationParts
  readonly #outbox: Outbox
  readonly #daily: OnceADay

  constructor(parts: NotificationParts, outbox: Outbox) {
    this.#parts = parts
    this.#outbox = outbox
    this.#daily = new OnceADay({
      now: parts.now,
      work: (now) => this.#tell(now),
      otherwise: () => outbox.retry(),
    })
  }

  /** Rejects when the data cannot be read. */
  run(): Promise<void> {
    return this.#daily.run()
  }

  async #tell(now: number): Promise<void> {
    await rejectExpiredRequests(this.#parts, now)
    const { config, store } = this.#parts
    const recipients = new Recipients({ queries: store, principals: principalDomainsOf(config), now })
    const { digest } = config.notification
    const gathered: Notice[] = []
    try {
      for (const way of NOTICE_WAYS) {
        const notices = await this.#claimed(way, recipients, now)
        if (digest) gathered.push(...notices)
        else await this.#outbox.deliver(notices)
      }
    } finally {
      // What is claimed is this server's to tell, whatever happens to the rest.
      if (digest) await this.#outbox.deliver(gathered)
    }
  }

  /** Notices of which this server is the one to tell. They are made before they are claimed, so that none is lost. */
  async #claimed(way: NoticeWay, recipients: Recipients, now: number): Promise<Notice[]> {
    const { config, store } = this.#parts
    const subjects = await dueSubjects(store, way, now)
    if (subjects.length === 0) return []
    const notices = await noticesOf({ config, recipients, now }, way, subjects)
    const claim = { server: config.zms.hostname, at: now, notSince: startOfDay(now) }
    const claimed = new Set((await store.claimNotices(way.kind, subjects, claim)).map(keyOf))
    return notices.filter(({ subject }) => claimed.has(keyOf(subject))).map(({ notice }) => notice)
  }
}

const keyOf = ({ domain, collection, member }: { domain: string; collection: string; member: string }) =>
  JSON.stringify([domain, collection, member])
