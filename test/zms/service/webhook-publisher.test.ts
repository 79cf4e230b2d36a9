import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, describe, test } from 'node:test'
import { openLogger } from '#core/log/logger.ts'
import type { DomainChangeMessage } from '#zms/service/change-messages.ts'
import { WebhookPublisher, type WebhookPublisherOptions } from '#zms/service/webhook-publisher.ts'
import { testPki } from '../../core/http/support.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { type Delivery, startReceiver, withStatus } from '../../support/webhook-receiver.ts'

const NOW = Date.UTC(2030, 0, 2, 3, 4, 5)
const pki = await testPki(temporaryFolder())

const messageOf = (number: number): DomainChangeMessage => ({
  domainName: 'sports',
  objectType: 'ROLE',
  objectName: `role${number}`,
  apiName: 'putrole',
  published: NOW + number,
  messageId: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`,
})

function publisher(url: URL, options: Partial<WebhookPublisherOptions> = {}) {
  const lines: { level: string; msg: string; messages?: number }[] = []
  const pauses: number[] = []
  const webhook = new WebhookPublisher({
    url,
    topic: 'changes',
    ca: pki.ca.cert,
    timeoutMillis: 10_000,
    retries: 3,
    queueMax: 1000,
    log: openLogger({ sink: { write: (line) => void lines.push(JSON.parse(line) as (typeof lines)[0]) } }),
    now: () => NOW,
    wait: async (millis) => void pauses.push(millis),
    ...options,
  })
  after(() => webhook.close())
  return { webhook, lines, pauses }
}

const bodyOf = (delivery: Delivery | undefined) =>
  JSON.parse(delivery?.body ?? '') as { topic: string; messages: DomainChangeMessage[] }
const namesOf = (delivery: Delivery | undefined) => bodyOf(delivery).messages.map(({ objectName }) => objectName)

describe('a webhook', () => {
  test('posts what is published together, signed', async () => {
    const receiver = await startReceiver(pki.server, withStatus(204))
    const { webhook, lines } = publisher(receiver.url, { secret: 'whisper' })
    webhook.publish(messageOf(1))
    webhook.publish(messageOf(2))
    await webhook.close()
    assert.equal(receiver.deliveries.length, 1)
    const [delivery] = receiver.deliveries
    assert.deepEqual(bodyOf(delivery), { topic: 'changes', messages: [messageOf(1), messageOf(2)] })
    const { headers, path, body } = delivery as Delivery
    const id = messageOf(1).messageId
    const timestamp = String(NOW / 1000)
    assert.deepEqual(
      [path, headers['content-type'], headers['webhook-id'], headers['webhook-timestamp']],
      ['/hook?team=1', 'application/json', id, timestamp],
    )
    const signature = createHmac('sha256', 'whisper').update(`${id}.${timestamp}.${body}`).digest('base64')
    assert.equal(headers['webhook-signature'], `v1,${signature}`)
    assert.deepEqual(lines, [])
  })

  test('signs nothing without a secret', async () => {
    const receiver = await startReceiver(pki.server, withStatus(200))
    const { webhook } = publisher(receiver.url)
    webhook.publish(messageOf(1))
    await webhook.close()
    assert.equal(receiver.deliveries[0]?.headers['webhook-signature'], undefined)
  })

  test('keeps the order, a hundred at a time', async () => {
    const receiver = await startReceiver(pki.server, withStatus(200))
    const { webhook } = publisher(receiver.url)
    for (let number = 0; number < 250; number++) webhook.publish(messageOf(number))
    await webhook.close()
    assert.deepEqual(
      receiver.deliveries.map((delivery) => namesOf(delivery).length),
      [100, 100, 50],
    )
    assert.deepEqual(
      receiver.deliveries.flatMap(namesOf),
      Array.from({ length: 250 }, (_, number) => `role${number}`),
    )
  })

  test('tries again at growing intervals, as the same delivery', async () => {
    const receiver = await startReceiver(pki.server, withStatus(500, 302, 200))
    const { webhook, lines, pauses } = publisher(receiver.url)
    webhook.publish(messageOf(1))
    await receiver.received(3)
    await webhook.close()
    assert.equal(
      new Set(receiver.deliveries.map(({ headers, body }) => `${String(headers['webhook-id'])} ${body}`)).size,
      1,
    )
    assert.deepEqual(pauses, [500, 1000])
    assert.deepEqual(
      lines.map(({ level, msg }) => `${level} ${msg}`),
      ['warn a webhook was not delivered', 'warn a webhook was not delivered'],
    )
  })

  test('drops what cannot be delivered, says so, and goes on', async () => {
    const receiver = await startReceiver(pki.server, withStatus(500, 500, 500, 500, 200))
    const { webhook, lines } = publisher(receiver.url)
    webhook.publish(messageOf(1))
    await receiver.received(1)
    webhook.publish(messageOf(2))
    await receiver.received(5)
    await webhook.close()
    assert.deepEqual(receiver.deliveries.map(namesOf), [['role1'], ['role1'], ['role1'], ['role1'], ['role2']])
    assert.deepEqual(
      lines.filter(({ level }) => level === 'error').map(({ msg, messages }) => [msg, messages]),
      [['messages about changes were dropped', 1]],
    )
  })

  test('holds no more messages than it may', async () => {
    const gate = Promise.withResolvers<void>()
    const receiver = await startReceiver(
      pki.server,
      (response) => void gate.promise.then(() => response.writeHead(200).end()),
    )
    const { webhook, lines } = publisher(receiver.url, { queueMax: 3 })
    webhook.publish(messageOf(0))
    await receiver.received(1)
    for (let number = 1; number < 8; number++) webhook.publish(messageOf(number))
    gate.resolve()
    await webhook.close()
    assert.deepEqual(receiver.deliveries.map(namesOf), [['role0'], ['role1', 'role2']])
    assert.deepEqual(
      lines.map(({ level, msg, messages }) => [level, msg, messages]),
      [
        ['error', 'messages about changes are dropped: too many wait', undefined],
        ['error', 'messages about changes were dropped', 5],
      ],
    )
  })

  test('gives up on a receiver that does not answer in time', async () => {
    const receiver = await startReceiver(pki.server, () => {})
    const { webhook, lines } = publisher(receiver.url, { timeoutMillis: 50, retries: 0 })
    webhook.publish(messageOf(1))
    await webhook.close()
    assert.deepEqual(
      lines.map(({ level }) => level),
      ['warn', 'error'],
    )
  })

  test('goes to nobody whose certificate is not trusted', async () => {
    const receiver = await startReceiver(pki.server, withStatus(200))
    const other = await testPki(temporaryFolder())
    const { webhook, lines } = publisher(receiver.url, { ca: other.ca.cert, retries: 0 })
    webhook.publish(messageOf(1))
    await webhook.close()
    assert.deepEqual([receiver.deliveries.length, lines.length], [0, 2])
  })

  test('does not hold up a server that stops', async () => {
    const receiver = await startReceiver(pki.server, withStatus(500))
    const started = Promise.withResolvers<void>()
    const { webhook, lines } = publisher(receiver.url, {
      retries: 100,
      wait: (_, signal) =>
        new Promise((_resolve, reject) => {
          started.resolve()
          signal.addEventListener('abort', () => reject(new Error('aborted')))
        }),
    })
    webhook.publish(messageOf(1))
    await started.promise
    webhook.publish(messageOf(2))
    await webhook.close()
    assert.equal(receiver.deliveries.length, 2)
    assert.equal(lines.at(-1)?.messages, 2)
    webhook.publish(messageOf(3))
    assert.equal(lines.at(-1)?.level, 'error')
  })
})
