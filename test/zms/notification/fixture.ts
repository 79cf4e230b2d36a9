import { Registry } from 'prom-client'
import { openLogger } from '#core/log/logger.ts'
import type { NoticeItem, Notification, NotificationSender } from '#core/notification/notice.ts'
import { Outbox } from '#core/notification/outbox.ts'
import { topics } from '#core/notification/topics.ts'
import type { ZmsDependencies } from '#zms/service/dependencies.ts'

/** A sender that keeps what it is given. */
export class KeepingSender implements NotificationSender {
  readonly name = 'keeping'
  readonly consolidation: 'principal' | 'domain'
  readonly sent: Notification[] = []
  broken = false

  constructor(consolidation: 'principal' | 'domain' = 'principal') {
    this.consolidation = consolidation
  }

  async send(notification: Notification): Promise<void> {
    if (this.broken) throw new Error('broken')
    this.sent.push(notification)
  }

  /** What was sent since the last call: recipients, topics and what they are about, in order. */
  take(): string[] {
    return this.sent
      .splice(0)
      .map(({ recipients, domain, sections }) => {
        const told = sections.map(({ topic, items }) => `${topic} ${items.map(placeOf).join(', ')}`)
        return `${domain ? `[${domain.name}] ` : ''}${recipients.join(' ')}: ${told.join('; ')}`
      })
      .sort()
  }

  /** Types of what was sent, as the original names them. */
  get types(): string[] {
    return this.sent.flatMap(({ sections }) => sections.map(({ topic }) => topics[topic].type))
  }
}

const placeOf = ({ domain, role, group, member }: NoticeItem) => `${domain}:${role ?? group ?? ''} ${member ?? ''}`

/** An outbox with that sender. */
export const outboxTo = (sender: NotificationSender, { now }: Pick<ZmsDependencies, 'now'>, digest = false) =>
  new Outbox({ senders: [sender], digest, now, log: openLogger({ level: 'silent' }), registry: new Registry() })
