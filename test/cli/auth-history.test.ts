import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import type { DevSummary } from '../../src/cli/dev-announcement.ts'
import { startDevServers } from '../support/dev-servers.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const run = promisify(execFile)
const PATIENCE_MILLIS = 20_000

/** The answer to a question of the administrator. */
async function ask(summary: DevSummary, url: string, ...args: string[]): Promise<string> {
  const tls = ['--cacert', summary.ca, '--cert', summary.adminCert, '--key', summary.adminKey]
  const { stdout } = await run('curl', ['-sS', '--fail', ...tls, ...args, url])
  return stdout
}

interface Incoming {
  readonly endpoint: string
  readonly principalDomain: string
  readonly principalName: string
  readonly ttl: number
}

/** Who used the system domain. */
async function incoming(summary: DevSummary): Promise<Incoming[]> {
  const answer = await ask(summary, `${summary.zms}/domain/sys.auth/history/auth`)
  return (JSON.parse(answer) as { incomingDependencies: Incoming[] }).incomingDependencies
}

/** Does something until it is the latest use of the system domain; of several in one interval only the first is told. */
async function used(summary: DevSummary, endpoint: string, act: () => Promise<unknown>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MILLIS
  for (;;) {
    await act()
    const uses = await incoming(summary)
    if (uses.some((use) => use.endpoint === endpoint)) return
    assert.ok(performance.now() < deadline, JSON.stringify(uses))
  }
}

test('ZMS tells who used a domain, of what it was asked itself and of what ZTS was asked', async () => {
  const options = {
    dir: temporaryFolder(),
    zts: true,
    settings: {
      'athenz.zms.auth_history_store_factory_class': 'file',
      'athenz.ts.auth_history_store_factory_class': 'file',
      'athenz.ts.auth_history_interval_seconds': '1',
    },
  }
  await using servers = await startDevServers(options)
  const { summary } = servers
  await used(summary, 'GET /zms/v1/access/update/sys.auth:anything', () =>
    ask(summary, `${summary.zms}/access/update/sys.auth:anything`),
  )
  // The scope of an access token is in the body.
  const scope = 'grant_type=client_credentials&scope=sys.auth:role.admin'
  await used(summary, 'POST /zts/v1/oauth2/token', () => ask(summary, `${summary.zts}/oauth2/token`, '-d', scope))
  const known = (await incoming(summary)).find(({ principalName }) => principalName === 'admin')
  assert.equal(known?.principalDomain, 'user')
  assert.ok(known.ttl > Date.now() / 1000 + 700 * 3600)
})
