import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, describe, test } from 'node:test'
import { Registry } from 'prom-client'
import { openLogger } from '#core/log/logger.ts'
import type { Notification, NotificationSender } from '#core/notification/notice.ts'
import { Outbox } from '#core/notification/outbox.ts'
import { WebhookSender } from '#core/notification/webhook-sender.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { startReceiver, withStatus } from '../../support/webhook-receiver.ts'
import { testPki } from '../http/support.ts'
import { DAY_MILLIS, expiry, NOW, notificationOf } from './notices.ts'

/** A sender that keeps what it is given, and fails while it is told to. */
class KeepingSender implements NotificationSender {
  readonly name: string
  readonly sent: Notification[] = []
  attempts = 0
  broken = false
  closed = false

  constructor(name: string) {
    this.name = name
  }

  async send(notification: Notification): Promise<void> {
    this.attempts += 1
    if (this.broken) throw new Error('broken')
    this.sent.push(notification)
  }

  close(): void {
    this.closed = true
  }
}

function open(...senders: NotificationSender[]) {
  const lines: Record<string, unknown>[] = []
  const clock = { millis: NOW }
  const registry = new Registry()
  const outbox = new Outbox({
    senders,
    digest: false,
    now: () => clock.millis,
    log: openLogger({ sink: { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) } }),
    registry,
  })
  return { outbox, lines, clock, registry }
}

const NOTICES = [expiry('a', ['user.joe']), expiry('b', ['user.jane'])]

describe('an outbox', () => {
  test('gives everything to every sender', async () => {
    const [one, two] = [new KeepingSender('one'), new KeepingSender('two')]
    const { outbox } = open(one, two)
    await outbox.deliver(NOTICES)
    assert.deepEqual([one.sent.length, two.sent.length], [2, 2])
    await outbox.close()
    assert.ok(one.closed && two.closed)
  })

  test('tries again what one sender could not send, and only that', async () => {
    const [one, two] = [new KeepingSender('one'), new KeepingSender('two')]
    one.broken = true
    const { outbox, lines } = open(one, two)
    await outbox.deliver(NOTICES)
    assert.deepEqual([one.sent.length, two.sent.length, outbox.waiting], [0, 2, 2])
    assert.ok(lines.some(({ msg, sender }) => msg === 'a notification was not sent' && sender === 'one'))
    one.broken = false
    await outbox.retry()
    await outbox.retry()
    assert.deepEqual([one.sent.length, two.sent.length, outbox.waiting], [2, 2, 0])
    assert.deepEqual(one.sent.map(({ id }) => id).length, new Set(one.sent.map(({ id }) => id)).size)
  })

  test('leaves a sender alone that fails again and again, and gives up after days', async () => {
    const one = new KeepingSender('one')
    one.broken = true
    const { outbox, clock } = open(one)
    await outbox.deliver(Array.from({ length: 10 }, (_, at) => expiry(`r${at}`, [`user.u${at}`])))
    assert.deepEqual([one.attempts, outbox.waiting], [3, 10])
    clock.millis += 4 * DAY_MILLIS
    await outbox.retry()
    assert.deepEqual([one.attempts, outbox.waiting], [6, 7])
  })

  test('counts what it sends, by few labels, and logs the names', async () => {
    const [one, two] = [new KeepingSender('one'), new KeepingSender('two')]
    two.broken = true
    const { outbox, registry, lines } = open(one, two)
    await outbox.deliver([...NOTICES, expiry('c', ['user.joe'], { topic: 'groupExpiryAdmin', days: 0 })])
    const metrics = await registry.metrics()
    assert.match(
      metrics,
      /athenz_notifications_total\{notif_type="ROLE_MEMBER_EXPIRY",sender="one",outcome="sent"\} 2\n/,
    )
    assert.match(
      metrics,
      /athenz_notifications_total\{notif_type="ROLE_MEMBER_EXPIRY",sender="two",outcome="failed"\} 2\n/,
    )
    assert.match(metrics, /athenz_notification_items_total\{notif_type="ROLE_MEMBER_EXPIRY",days="7"\} 2\n/)
    assert.match(metrics, /athenz_notification_items_total\{notif_type="GROUP_MEMBER_EXPIRY",days="0"\} 1\n/)
    const { notif_type, domain, role, member, days } = lines[0] ?? {}
    assert.deepEqual(
      { notif_type, domain, role, member, days },
      { notif_type: 'ROLE_MEMBER_EXPIRY', domain: 'sports', role: 'a', member: 'user.joe', days: '7' },
    )
  })

  test('closes though a sender does not', async () => {
    const one = new KeepingSender('one')
    const failing: NotificationSender = {
      name: 'bad',
      send: () => Promise.resolve(),
      close: () => Promise.reject(new Error('stuck')),
    }
    const { outbox } = open(failing, one)
    await outbox.close()
    assert.ok(one.closed)
  })
})

describe('a webhook for notifications', () => {
  const notification = notificationOf(expiry('readers', []))

  test('posts them signed', async () => {
    const pki = await testPki(temporaryFolder())
    const { deliveries, url } = await startReceiver(pki.server, withStatus(503, 204))
    const pauses: number[] = []
    const sender = new WebhookSender({
      url,
      secret: 'secret',
      ca: pki.ca.cert,
      timeoutMillis: 10_000,
      retries: 2,
      log: openLogger({ level: 'silent' }),
      now: () => NOW,
      wait: async (millis) => void pauses.push(millis),
    })
    after(() => sender.close())
    await sender.send(notification)
    assert.deepEqual([deliveries.length, pauses], [2, [500]])
    const { headers, body } = deliveries[1] as (typeof deliveries)[0]
    const signature = createHmac('sha256', 'secret')
      .update(`${notification.id}.${Math.floor(NOW / 1000)}.${body}`)
      .digest('base64')
    assert.equal(headers['webhook-id'], notification.id)
    assert.equal(headers['webhook-signature'], `v1,${signature}`)
    const { notifications } = JSON.parse(body) as { notifications: { type: string }[] }
    assert.deepEqual(
      notifications.map(({ type }) => type),
      ['ROLE_MEMBER_EXPIRY'],
    )
  })

  test('fails when nobody takes them', async () => {
    const pki = await testPki(temporaryFolder())
    const { url } = await startReceiver(pki.server, withStatus(500))
    const sender = new WebhookSender({
      url,
      ca: pki.ca.cert,
      timeoutMillis: 10_000,
      retries: 0,
      log: openLogger({ level: 'silent' }),
      now: () => NOW,
    })
    after(() => sender.close())
    await assert.rejects(sender.send(notification), /did not take it/)
  })
})
