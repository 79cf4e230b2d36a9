import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { ConfigError } from '#core/config/config-error.ts'
import { loadServerConfig } from '#core/config/server-config.ts'
import { FilePrivateKeyStore } from '#core/crypto/file-private-key-store.ts'
import { openLogger } from '#core/log/logger.ts'
import { openChangePublishers } from '#zms/open-change-publishers.ts'
import type { DomainChangeMessage } from '#zms/service/change-messages.ts'
import { WebhookPublisher } from '#zms/service/webhook-publisher.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const MESSAGE: DomainChangeMessage = {
  domainName: 'sports',
  objectType: 'ROLE',
  objectName: 'readers',
  apiName: 'putrole',
  published: 1,
  messageId: 'id',
}

/** Opens what the settings select, beside a module of that text. */
async function open(className: string | undefined, settings: Record<string, string> = {}, module = '') {
  const root = temporaryFolder()
  writeFileSync(join(root, 'mine.mjs'), module)
  const { config, properties } = await loadServerConfig({
    server: 'zms',
    rootDir: root,
    files: [],
    overrides: [
      ...(className === undefined ? [] : [['athenz.zms.domain_change_publisher_factory_class', className] as const]),
      ['athenz.zms.domain_changes_topic_names', 'one,two,one'] as const,
      ...Object.entries(settings),
    ],
    env: {},
    hostname: 'h',
  })
  const lines: Record<string, unknown>[] = []
  const log = openLogger({ sink: { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) } })
  const privateKeyStore = new FilePrivateKeyStore(properties.get, root)
  return { lines, publishers: await openChangePublishers({ config, privateKeyStore, log }) }
}

describe('the publisher of changes', () => {
  test('is none by default', async () => {
    assert.deepEqual(await open(undefined), { lines: [], publishers: [] })
  })

  test('may be the log, for each topic', async () => {
    const { lines, publishers } = await open('log')
    for (const publisher of publishers) await publisher.publish(MESSAGE)
    assert.deepEqual(
      lines.map(({ level, msg, topic, change }) => ({ level, msg, topic, change })),
      ['one', 'two'].map((topic) => ({ level: 'info', msg: 'a change was published', topic, change: MESSAGE })),
    )
  })

  test('may be a module, called with each topic', async () => {
    const module = `export default ({ topic, config, privateKeyStore, log }) => ({
      publish: (message) => log.info({ topic, name: message.objectName, region: config.zms.serverRegion }, 'mine'),
    })`
    const { lines, publishers } = await open('./mine.mjs', { 'athenz.zms.server_region': 'west' }, module)
    for (const publisher of publishers) await publisher.publish(MESSAGE)
    assert.deepEqual(
      lines.map(({ topic, name, region }) => [topic, name, region]),
      [
        ['one', 'readers', 'west'],
        ['two', 'readers', 'west'],
      ],
    )
  })

  test('publishes nothing without topics, which is worth a warning', async () => {
    const { lines, publishers } = await open('log', { 'athenz.zms.domain_changes_topic_names': '' })
    assert.deepEqual(publishers, [])
    assert.match(String(lines[0]?.['msg']), /^athenz\.zms\.domain_changes_topic_names: not set/)
  })

  for (const url of [
    'https://hooks.example.com/x',
    'http://127.0.0.1:8080/x',
    'http://localhost/',
    'http://[::1]:1/',
  ]) {
    test(`may be a webhook to ${url}`, async () => {
      const { publishers } = await open('webhook', { 'athenz.ts.change_webhook_url': url })
      assert.ok(publishers.every((publisher) => publisher instanceof WebhookPublisher))
      assert.equal(publishers.length, 2)
      for (const publisher of publishers) await publisher.close?.()
    })
  }

  const url = { 'athenz.ts.change_webhook_url': 'https://hooks.example.com/x' }
  const refusals: readonly [string, string, Record<string, string>, RegExp][] = [
    [
      'an unknown class',
      'com.example.Nothing',
      {},
      /is neither a known class nor a module \(give one of log, webhook, or/,
    ],
    ['a module that cannot publish', './mine.mjs', {}, /has no export "default"/],
    ['a webhook without URL', 'webhook', {}, /^athenz\.ts\.change_webhook_url: not set/],
    [
      'a webhook over the open network',
      'webhook',
      { 'athenz.ts.change_webhook_url': 'http://127.evil.example.com/secret' },
      /^athenz\.ts\.change_webhook_url: http:\/\/127\.evil\.example\.com\/… is not encrypted/,
    ],
    [
      'authorities that cannot be read',
      'webhook',
      { ...url, 'athenz.ts.change_webhook_ca_file': '/nonexistent' },
      /^athenz\.ts\.change_webhook_ca_file: ENOENT/,
    ],
    [
      'a secret that cannot be read',
      'webhook',
      { ...url, 'athenz.ts.change_webhook_secret': 'file:/nonexistent' },
      /no such file/,
    ],
  ]
  for (const [what, className, settings, reason] of refusals) {
    test(`is refused: ${what}`, async () => {
      await assert.rejects(
        open(className, settings),
        (error) => error instanceof ConfigError && reason.test(error.problems.join()),
      )
    })
  }
})
