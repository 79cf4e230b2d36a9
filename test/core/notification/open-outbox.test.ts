import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { Registry } from 'prom-client'
import type { Authority } from '#core/authority/authority.ts'
import { ConfigError } from '#core/config/config-error.ts'
import { loadServerConfig } from '#core/config/server-config.ts'
import { FilePrivateKeyStore } from '#core/crypto/file-private-key-store.ts'
import { openLogger } from '#core/log/logger.ts'
import { openOutbox } from '#core/notification/open-outbox.ts'
import { startSmtp } from '../../support/fake-smtp.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { expiry, NOW } from './notices.ts'

const MAIL = {
  'athenz.ts.notification.smtp_host': 'localhost',
  'athenz.ts.notification.smtp_tls': 'none',
  'athenz.notification_email_from': 'athenz',
  'athenz.notification_email_domain_from': 'from.example.com',
  'athenz.notification_email_domain_to': 'to.example.com',
}

/** Opens the senders that are listed, beside a module of that text. */
async function open(
  classNames: readonly string[],
  settings: Readonly<Record<string, string>> = {},
  { module = '', userAuthority }: { module?: string; userAuthority?: Authority } = {},
) {
  const root = temporaryFolder()
  writeFileSync(join(root, 'mine.mjs'), module)
  const { config, properties } = await loadServerConfig({
    server: 'zms',
    rootDir: root,
    files: [],
    overrides: Object.entries(settings),
    env: {},
    hostname: 'h',
  })
  const lines: Record<string, unknown>[] = []
  const outbox = await openOutbox({
    server: 'zms',
    classNames,
    directory: root,
    config,
    privateKeyStore: new FilePrivateKeyStore(properties.get, root),
    userAuthority,
    log: openLogger({ sink: { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) } }),
    registry: new Registry(),
    now: () => NOW,
  })
  after(() => outbox?.close())
  return { outbox, lines }
}

describe('the senders', () => {
  test('are none by default', async () => {
    assert.equal((await open([])).outbox, undefined)
  })

  test('may be the log', async () => {
    const { outbox, lines } = await open(['log'])
    await outbox?.deliver([expiry('readers', ['user.joe'])])
    const [, line] = lines as { msg: string; notification?: { recipients: string[] } }[]
    assert.equal(line?.msg, 'a notification')
    assert.deepEqual(line?.notification?.recipients, ['user.joe'])
  })

  for (const name of ['email', 'com.yahoo.athenz.common.server.notification.impl.NotificationServiceFactoryImpl']) {
    test(`may be mail by the name ${name}`, async () => {
      const { mails, port } = await startSmtp()
      const settings = {
        ...MAIL,
        'athenz.ts.notification.smtp_port': String(port),
        'athenz.notification.email.role_member.expiry.subject': 'Bald zu Ende',
        'athenz.notification_athenz_ui_url': 'https://ui.example.com/',
        'athenz.notification_support_text': 'Ask us',
        'athenz.ts.notification.html': 'false',
      }
      const { outbox } = await open([name, name], settings)
      await outbox?.deliver([expiry('readers', ['user.joe', 'user.jane', 'sports.api'])])
      assert.deepEqual(
        mails.map(({ from, to }) => ({ from, to })),
        [{ from: 'athenz@from.example.com', to: ['jane@to.example.com', 'joe@to.example.com'] }],
      )
      assert.match(mails[0]?.data ?? '', /^Subject: Bald zu Ende\r$/m)
      assert.match(mails[0]?.data ?? '', /https:\/\/ui\.example\.com\/\r\n[^]*Ask us/)
    })
  }

  test('ask the user authority for addresses first', async () => {
    const { mails, port } = await startSmtp()
    const userAuthority: Authority = {
      id: 'Auth-USERS',
      credentialSource: 'header',
      allowAuthorization: true,
      userEmail: (name) => (name === 'user.joe' ? 'joe.doe@people.example.com' : undefined),
    }
    const settings = { ...MAIL, 'athenz.ts.notification.smtp_port': String(port) }
    const { outbox } = await open(['email'], settings, { userAuthority })
    await outbox?.deliver([expiry('readers', ['user.joe', 'user.jane'])])
    assert.deepEqual(mails[0]?.to, ['jane@to.example.com', 'joe.doe@people.example.com'])
  })

  test('may be modules', async () => {
    const module = `export default ({ config, log, server }) => ({
      name: 'mine',
      consolidation: 'domain',
      send: async ({ domain, recipients }) => log.info({ server, recipients, place: domain.slackChannel }, 'mine'),
    })`
    const { outbox, lines } = await open(['./mine.mjs'], {}, { module })
    await outbox?.deliver([expiry('readers', ['user.joe', 'user.jane'], { domain: 'sports' })])
    const { server, recipients, place } = lines.at(-1) as Record<string, unknown>
    assert.deepEqual(
      { server, recipients, place },
      {
        server: 'zms',
        recipients: ['user.jane', 'user.joe'],
        place: 'sports-channel',
      },
    )
  })

  const without = (key: keyof typeof MAIL) => Object.fromEntries(Object.entries(MAIL).filter(([name]) => name !== key))
  const refusals: readonly [string, readonly string[], Record<string, string>, RegExp][] = [
    ['an unknown class', ['com.example.Nothing'], {}, /is neither a known class nor a module/],
    ['a module that sends nothing', ['./mine.mjs#other'], {}, /has no export "other"/],
    ['mail without server', ['email'], without('athenz.ts.notification.smtp_host'), /smtp_host: not set/],
    ['mail without sender', ['email'], without('athenz.notification_email_from'), /email_from: not set/],
    ['mail without domain', ['email'], without('athenz.notification_email_domain_from'), /domain_from: not set/],
    ['mail to nowhere', ['email'], without('athenz.notification_email_domain_to'), /domain_to: not set/],
    [
      'a sender that is no address',
      ['email'],
      { ...MAIL, 'athenz.notification_email_from': 'Athenz <x>' },
      /is no address/,
    ],
    ['a domain that is none', ['email'], { ...MAIL, 'athenz.notification_email_domain_to': 'a b' }, /is no domain/],
    [
      'mail over the open network',
      ['email'],
      { ...MAIL, 'athenz.ts.notification.smtp_host': 'mail.example.com' },
      /would not be encrypted/,
    ],
    [
      'a login without password',
      ['email'],
      { ...MAIL, 'athenz.ts.notification.smtp_user': 'x' },
      /smtp_password: not set/,
    ],
    [
      'authorities that cannot be read',
      ['email'],
      { ...MAIL, 'athenz.ts.notification.smtp_ca_file': '/none' },
      /ENOENT/,
    ],
    ['a webhook without URL', ['webhook'], {}, /^athenz\.ts\.notification\.webhook_url: not set/],
    [
      'a webhook over the open network',
      ['webhook'],
      { 'athenz.ts.notification.webhook_url': 'http://hooks.example.com/' },
      /is not encrypted/,
    ],
  ]
  for (const [what, classNames, settings, reason] of refusals) {
    test(`are refused: ${what}`, async () => {
      await assert.rejects(
        open(classNames, settings),
        (error) => error instanceof ConfigError && reason.test(error.problems.join()),
      )
    })
  }
})
