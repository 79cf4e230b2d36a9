import { Counter, type Registry } from 'prom-client'
import type { Logger } from '../log/logger.ts'
import { consolidate } from './consolidate.ts'
import { daysBetween } from './days.ts'
import type { Notice, Notification, NotificationSender } from './notice.ts'
import { topics } from './topics.ts'

/** What an outbox is made with. */
export interface OutboxOptions {
  readonly senders: readonly NotificationSender[]
  /** One notification for all topics of a delivery instead of one for each. */
  readonly digest: boolean
  readonly now: () => number
  readonly log: Logger
  readonly registry: Registry
}

/** What a sender has not sent yet. */
interface Queue {
  readonly sender: NotificationSender
  waiting: Notification[]
  /** Sends are made one after the other. */
  running: Promise<void>
}

/** Failures one after the other after which a sender is left alone until the next time. */
const FAILURES_MAX = 3
/** What could not be sent for so long is not worth sending any more. */
const KEPT_MILLIS = 3 * 86_400_000
/** Notifications that wait for one sender; a server that is down for days should not fill the memory. */
const WAITING_MAX = 20_000

/**
 * Gives notifications to the senders. What one of them cannot send is logged and tried again with the next delivery or
 * `retry`, for three days; nothing that a sender does is an error for whoever tells something.
 */
export class Outbox {
  readonly #options: OutboxOptions
  readonly #queues: readonly Queue[]
  readonly #sent: Counter
  readonly #items: Counter
  #stopping = false

  constructor(options: OutboxOptions) {
    this.#options = options
    this.#queues = options.senders.map((sender) => ({ sender, waiting: [], running: Promise.resolve() }))
    const registers = [options.registry]
    this.#sent = new Counter({
      name: 'athenz_notifications_total',
      help: 'Notifications by type, sender and what became of them',
      labelNames: ['notif_type', 'sender', 'outcome'],
      registers,
    })
    this.#items = new Counter({
      name: 'athenz_notification_items_total',
      help: 'Facts that people were to be told of, by type and by days until they happen',
      labelNames: ['notif_type', 'days'],
      registers,
    })
  }

  /** Notifications that wait for a further attempt. */
  get waiting(): number {
    return this.#queues.reduce((sum, { waiting }) => sum + waiting.length, 0)
  }

  /** Tells people; resolves when each sender has tried. */
  async deliver(notices: readonly Notice[]): Promise<void> {
    for (const notice of notices) this.#count(notice)
    const { digest, now, log } = this.#options
    for (const queue of this.#queues) {
      const { consolidation: by = 'principal', recipientsMax = Number.POSITIVE_INFINITY } = queue.sender
      queue.waiting.push(...consolidate(notices, { by, recipientsMax, digest, now: now() }))
      const dropped = queue.waiting.splice(0, Math.max(0, queue.waiting.length - WAITING_MAX))
      if (dropped.length === 0) continue
      log.error({ sender: queue.sender.name, dropped: dropped.length }, 'notifications are dropped: too many wait')
      for (const notification of dropped) this.#countSent(queue.sender, notification, 'dropped')
    }
    await this.retry()
  }

  /** Tries again what could not be sent. */
  async retry(): Promise<void> {
    await Promise.all(
      this.#queues.map((queue) => {
        queue.running = queue.running.then(() => this.#drain(queue))
        return queue.running
      }),
    )
  }

  /** The server ends: what waits is still sent, unless a sender fails. */
  stop(): void {
    this.#stopping = true
  }

  /** Waits for sends under way, and closes the senders. */
  async close(): Promise<void> {
    this.stop()
    const { log } = this.#options
    for (const queue of this.#queues) {
      await queue.running
      const { sender, waiting } = queue
      if (waiting.length > 0) log.warn({ sender: sender.name, waiting: waiting.length }, 'notifications were not sent')
      try {
        await sender.close?.()
      } catch (err) {
        log.warn({ err, sender: sender.name }, 'a sender of notifications did not close')
      }
    }
  }

  async #drain(queue: Queue): Promise<void> {
    const { log, now } = this.#options
    const { sender } = queue
    const [batch, left]: [Notification[], Notification[]] = [queue.waiting, []]
    queue.waiting = []
    let failures = 0
    for (const notification of batch) {
      if (failures >= (this.#stopping ? 1 : FAILURES_MAX)) {
        left.push(notification)
        continue
      }
      try {
        await sender.send(notification)
        failures = 0
        this.#countSent(sender, notification, 'sent')
      } catch (err) {
        failures += 1
        const isOld = now() - notification.created > KEPT_MILLIS
        log.error({ err, sender: sender.name, id: notification.id, last: isOld }, 'a notification was not sent')
        this.#countSent(sender, notification, isOld ? 'dropped' : 'failed')
        if (!isOld) left.push(notification)
      }
    }
    // Others may have come meanwhile.
    queue.waiting = [...left, ...queue.waiting]
  }

  #countSent(sender: NotificationSender, { sections }: Notification, outcome: 'sent' | 'failed' | 'dropped'): void {
    for (const { topic } of sections) this.#sent.inc({ notif_type: topics[topic].type, sender: sender.name, outcome })
  }

  /** Names of domains and people are no labels, of which there must be few: they are in the log. */
  #count({ topic, item }: Notice): void {
    const { type, audience, date } = topics[topic]
    const time = date && item[date]
    const days = time === undefined ? '' : String(daysBetween(this.#options.now(), time))
    this.#items.inc({ notif_type: type, days })
    const { domain, role, group, member, service } = item
    this.#options.log.info({ notif_type: type, audience, domain, role, group, service, member, days }, 'a notice')
  }
}
