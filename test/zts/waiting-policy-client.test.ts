import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { Agent } from 'node:https'
import { after, before, test } from 'node:test'
import type { Endpoint } from '#core/http/endpoint.ts'
import { ZMS_API_ROOT, zmsEndpoints } from '#zms/api/index.ts'
import { ZTS_API_ROOT, ztsEndpoints } from '#zts/api/index.ts'
import { ADMINISTRATOR } from '../../src/cli/dev-administrator.ts'
import { type RawAnswer, sendRaw } from '../support/bad-requests.ts'
import { type DevServers, startDevServers } from '../support/dev-servers.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** How soon a change in ZMS must reach those who wait at ZTS. */
const PROPAGATION_MILLIS = 1000

// Not within the hook, whose end would be that of the folder.
const folder = temporaryFolder()
let servers: DevServers
let agent: Agent

before(async () => {
  servers = await startDevServers({ dir: folder, zts: true })
  const { ca, adminCert, adminKey } = servers.summary
  const [authority, cert, key] = await Promise.all([ca, adminCert, adminKey].map((file) => readFile(file)))
  agent = new Agent({ keepAlive: true, ca: authority, cert, key })
})
after(async () => {
  agent?.destroy()
  await servers?.[Symbol.asyncDispose]()
})

const tell = async (endpoint: Endpoint, path: string, body: object): Promise<void> => {
  const base = new URL(servers.summary.zms ?? '')
  const text = JSON.stringify(body)
  const answer = await sendRaw(base, agent, { endpoint, path: ZMS_API_ROOT + path, body: text })
  assert.ok(answer.status < 300, answer.text)
}

const policies = (headers: Record<string, string> = {}): Promise<RawAnswer> =>
  sendRaw(new URL(servers.summary.zts ?? ''), agent, {
    endpoint: ztsEndpoints.getDomainSignedPolicyData,
    path: `${ZTS_API_ROOT}/domain/sports/signed_policy_data`,
    headers,
  })

/** The answer to somebody who waits, when that one is known to wait. */
async function waiting(): Promise<{ readonly answer: Promise<RawAnswer> }> {
  const { etag = '' } = (await policies()).headers
  // Goes out at once on the connection that has just become free; what follows needs a new one.
  const answer = policies({ prefer: 'wait=30', 'if-none-match': etag })
  assert.equal((await policies()).status, 200)
  return { answer }
}

test('a policy client that waits is told of a change within a second, and let go when the server stops', async () => {
  await tell(zmsEndpoints.postTopLevelDomain, '/domain', { name: 'sports', adminUsers: [ADMINISTRATOR] })
  while ((await policies()).status !== 200);

  const first = await waiting()
  const assertions = [{ role: 'sports:role.admin', action: 'read', resource: 'sports:data' }]
  const begin = performance.now()
  await tell(zmsEndpoints.putPolicy, '/domain/sports/policy/p', { name: 'p', assertions })
  const told = await first.answer
  const millis = performance.now() - begin
  assert.deepEqual([told.status, told.headers['preference-applied']], [200, 'wait'])
  assert.match(told.text, /sports:policy\.p/)
  assert.ok(millis < PROPAGATION_MILLIS, `${millis} ms`)

  const second = await waiting()
  servers.program.kill()
  const end = await second.answer
  assert.deepEqual([end.status, end.headers['preference-applied']], [304, 'wait'])
})
