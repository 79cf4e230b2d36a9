import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startDevServers } from '../support/dev-servers.ts'
import { startSmtp } from '../support/fake-smtp.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { ZmsCli } from '../support/zms-cli.ts'

const ADMIN = 'user.admin'
const DAY_MILLIS = 86_400_000

test('ZMS tells people by mail of requests as they come, and once a day of what ends', async () => {
  const dir = temporaryFolder()
  const { mails, received, port } = await startSmtp()
  const options = {
    dir,
    zts: false,
    settings: {
      'athenz.zms.notification_service_factory_class': 'email,log',
      'athenz.ts.notification.smtp_host': '127.0.0.1',
      'athenz.ts.notification.smtp_port': String(port),
      'athenz.ts.notification.smtp_tls': 'none',
      'athenz.notification_email_from': 'athenz',
      'athenz.notification_email_domain_from': 'from.example.com',
      'athenz.notification_email_domain_to': 'to.example.com',
      'athenz.notification_workflow_url': 'https://ui.example.com/workflow',
    },
  }
  /** Recipients and subject of the mails since the last call. */
  const taken = () =>
    mails
      .splice(0)
      .map(({ to, data }) => `${to.join(' ')}: ${/^Subject: (.*)\r$/m.exec(data)?.[1] ?? ''}`)
      .sort()

  {
    await using servers = await startDevServers(options)
    const zms = new ZmsCli('', servers.summary, dir)
    const ask = async (method: string, path: string, body: object) => {
      const { status } = await zms.rest(ADMIN, method, path, body)
      assert.ok(status < 300, `${method} ${path}: ${status}`)
    }
    await ask('POST', '/domain', { name: 'club', adminUsers: [ADMIN] })
    await ask('PUT', '/domain/club/role/board', { name: 'board', reviewEnabled: true })
    await ask('PUT', '/domain/club/role/board/member/user.jane', { memberName: 'user.jane' })
    await received(1)
    assert.match(mails[0]?.data ?? '', /https:\/\/ui\.example\.com\/workflow/)
    assert.deepEqual(taken(), ['admin@to.example.com: Athenz: a role membership awaits your decision'])

    const expiration = new Date(Date.now() + DAY_MILLIS).toISOString()
    await ask('PUT', '/domain/club/role/players', { name: 'players' })
    await ask('PUT', '/domain/club/role/players/member/user.joe', { memberName: 'user.joe', expiration })
  }

  {
    await using _servers = await startDevServers(options)
    await received(2)
    assert.deepEqual(taken(), [
      'admin@to.example.com: Athenz: role memberships in your domains are about to end',
      'joe@to.example.com: Athenz: your role memberships are about to end',
    ])
  }

  // What everybody was told of today is not told again.
  await using again = await startDevServers(options)
  const { status } = await new ZmsCli('', again.summary, dir).rest(
    ADMIN,
    'PUT',
    '/domain/club/role/board/member/user.x',
    {
      memberName: 'user.x',
    },
  )
  assert.equal(status, 204)
  await received(1)
  assert.deepEqual(taken(), ['admin@to.example.com: Athenz: a role membership awaits your decision'])
})
