import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { openLogger } from '#core/log/logger.ts'
import { EmailSender, type SmtpSettings } from '#core/notification/email-sender.ts'
import type { MessageFrame } from '#core/notification/message-text.ts'
import { topicNames } from '#core/notification/topics.ts'
import { type FakeSmtpOptions, startSmtp } from '../../support/fake-smtp.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { testPki } from '../http/support.ts'
import { expiry, notificationOf } from './notices.ts'

const pki = await testPki(temporaryFolder())
const FRAME: MessageFrame = {
  subjects: Object.fromEntries([...topicNames, 'digest'].map((topic) => [topic, `about ${topic}`])) as never,
}
const NOTIFICATION = notificationOf(expiry('readers', []))

interface Given {
  readonly server?: FakeSmtpOptions
  readonly smtp?: Partial<SmtpSettings>
  readonly html?: boolean
  readonly subject?: string
  readonly addressOf?: (user: string) => string | undefined
}

/** A sender, and the server that it gives mails to. */
async function open({ server = {}, smtp = {}, html = false, subject, addressOf }: Given = {}) {
  const { mails, port, stop } = await startSmtp(server)
  const lines: { msg: string; user?: string; rejected?: string[] }[] = []
  const sender = new EmailSender({
    smtp: { host: 'localhost', port, tls: 'none', timeoutMillis: 10_000, ...smtp },
    from: 'athenz@example.com',
    addressOf: async (user) => (addressOf ?? ((name) => `${name.slice('user.'.length)}@example.com`))(user),
    frame: subject === undefined ? FRAME : { subjects: { ...FRAME.subjects, roleExpiry: subject } },
    html,
    log: openLogger({ sink: { write: (line) => void lines.push(JSON.parse(line) as (typeof lines)[0]) } }),
  })
  after(() => sender.close())
  return { sender, mails, lines, stop }
}

const headersOf = (data: string) => data.slice(0, data.indexOf('\r\n\r\n'))

describe('a mail', () => {
  test('goes to one person', async () => {
    const { sender, mails } = await open()
    await sender.send(NOTIFICATION)
    assert.deepEqual(
      mails.map(({ from, to }) => ({ from, to })),
      [{ from: 'athenz@example.com', to: ['joe@example.com'] }],
    )
    const headers = headersOf(mails[0]?.data ?? '')
    assert.match(headers, /^From: athenz@example\.com$/m)
    assert.match(headers, /^To: joe@example\.com$/m)
    assert.match(headers, /^Subject: about roleExpiry$/m)
    assert.match(headers, /^Message-ID: <00000000-0000-4000-8000-000000000001@example\.com>$/m)
    assert.match(headers, /^Date: Wed, 02 Jan 2030 03:04:05 \+0000$/m)
    assert.match(headers, /^Auto-Submitted: auto-generated$/m)
    assert.match(mails[0]?.data ?? '', /role sports:role\.readers/)
  })

  test('goes to several as blind copies', async () => {
    const { sender, mails } = await open()
    await sender.send({ ...NOTIFICATION, recipients: ['user.joe', 'user.jane', 'user.joe'] })
    assert.deepEqual(mails[0]?.to, ['joe@example.com', 'jane@example.com'])
    assert.match(headersOf(mails[0]?.data ?? ''), /^To: athenz@example\.com$/m)
    assert.doesNotMatch(mails[0]?.data ?? '', /jane|joe@/)
  })

  test('has HTML beside the text where that is wanted', async () => {
    const { sender, mails } = await open({ html: true })
    await sender.send(NOTIFICATION)
    assert.match(mails[0]?.data ?? '', /multipart\/alternative/)
    assert.match(mails[0]?.data ?? '', /<!DOCTYPE html>/)
  })

  test('cannot be given further headers by what is in it', async () => {
    const { sender, mails } = await open({ subject: 'one\r\nBcc: eve@example.com\r\n\r\nbody' })
    const item = { domain: 'sports\r\nX-Evil: 1', role: 'r\r\n.\r\nMAIL FROM:<eve@example.com>', member: 'user.joe' }
    await sender.send({ ...NOTIFICATION, sections: [{ topic: 'roleExpiry', items: [item] }] })
    assert.equal(mails.length, 1)
    const headers = headersOf(mails[0]?.data ?? '')
    assert.match(headers, /^Subject: one Bcc: eve@example\.com body$/m)
    assert.doesNotMatch(headers, /^(X-Evil|Bcc)/m)
    assert.deepEqual(mails[0]?.to, ['joe@example.com'])
  })

  test('is not sent to addresses that are none', async () => {
    const addresses = new Map([
      ['user.a', 'a@example.com'],
      ['user.b', 'b@example.com, eve@example.com'],
      ['user.c', 'c@example.com>\r\nRCPT TO:<eve@example.com'],
    ])
    const { sender, mails, lines } = await open({ addressOf: (user) => addresses.get(user) })
    await sender.send({ ...NOTIFICATION, recipients: ['user.a', 'user.b', 'user.c', 'user.d'] })
    assert.deepEqual(mails[0]?.to, ['a@example.com'])
    assert.deepEqual(
      lines.map(({ user }) => user),
      ['user.b', 'user.c', 'user.d'],
    )
    await sender.send({ ...NOTIFICATION, recipients: ['user.d'] })
    assert.equal(mails.length, 1)
  })

  test('reaches those whom the server knows', async () => {
    const refuse = (to: string) => (to.startsWith('jane') ? '550 no such user' : undefined)
    const { sender, mails, lines } = await open({ server: { refuse } })
    await sender.send({ ...NOTIFICATION, recipients: ['user.joe', 'user.jane'] })
    assert.deepEqual(mails[0]?.to, ['joe@example.com'])
    assert.deepEqual(lines[0]?.rejected, ['jane@example.com'])
  })

  test('that nobody gets is a failure', async () => {
    const { sender, stop } = await open({ server: { refuse: () => '450 later' } })
    await assert.rejects(sender.send(NOTIFICATION), /450 later/)
    stop()
    await assert.rejects(sender.send(NOTIFICATION))
  })
})

describe('the way to the mail server', () => {
  const { key, cert } = pki.server
  const login = { user: 'athenz', password: 'correct horse' }

  test('is encrypted by STARTTLS before the login', async () => {
    const { sender, mails } = await open({
      server: { tls: { key, cert }, login },
      smtp: { tls: 'starttls', ca: pki.ca.cert, login },
    })
    await sender.send(NOTIFICATION)
    assert.deepEqual(
      mails.map(({ encrypted, user }) => ({ encrypted, user })),
      [{ encrypted: true, user: 'athenz' }],
    )
  })

  test('may be TLS from the start', async () => {
    const { sender, mails } = await open({
      server: { tls: { key, cert, implicit: true } },
      smtp: { tls: 'tls', ca: pki.ca.cert },
    })
    await sender.send(NOTIFICATION)
    assert.equal(mails[0]?.encrypted, true)
  })

  const refusals: readonly [string, Given, RegExp][] = [
    ['a server that cannot encrypt', { smtp: { tls: 'starttls' } }, /STARTTLS/i],
    ['a server that nobody vouches for', { server: { tls: { key, cert } }, smtp: { tls: 'starttls' } }, /certificate/i],
    [
      'a wrong password',
      {
        server: { tls: { key, cert }, login },
        smtp: { tls: 'starttls', ca: pki.ca.cert, login: { ...login, password: 'wrong' } },
      },
      /wrong user or password/,
    ],
  ]
  for (const [what, given, reason] of refusals) {
    test(`refuses ${what}`, async () => {
      const { sender, mails } = await open(given)
      await assert.rejects(sender.send(NOTIFICATION), reason)
      assert.deepEqual(mails, [])
    })
  }
})
