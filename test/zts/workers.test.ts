import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { serviceCertificateRequest, ZmsClient } from '#client/index.ts'
import { freePort } from '../../src/cli/server-port.ts'
import { FaultServers } from '../faults/fault-servers.ts'
import { requestText } from '../faults/pipelining-client.ts'
import { stopUnderLoad } from '../faults/stop-under-load.ts'
import { startDevServers } from '../support/dev-servers.ts'
import { administratorOf, DNS_DOMAIN, makeSportsService } from '../support/sports-service.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'
import { administrator, KeptConnection, metricOf, workersOf } from '../support/worker-servers.ts'

const WORKERS = 3
const CONNECTIONS = 6
const PROVIDER = 'sys.auth.zts'

test('a ZTS with workers: each knows the domains, all keep the same records, and one takes the place of another', async () => {
  const dir = temporaryFolder()
  const opsPort = await freePort()
  const ztsSettings = { 'athenz.zts.workers': String(WORKERS), 'athenz.ts.ops_port': String(opsPort) }
  await using servers = await startDevServers({ dir, zts: true, ztsSettings })
  const { zts, pids } = servers.summary
  const identity = await administrator(servers.summary)
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  await makeSportsService(servers, publicKey)
  await using zms = new ZmsClient({ url: servers.summary.zms ?? '', identity: administratorOf(servers) })
  const connect = (cert: { cert: string; key: string } = identity) =>
    new KeptConnection(zts ?? '', { ...identity, ...cert })
  let connections = Array.from({ length: CONNECTIONS }, () => connect())
  const closeAll = () => {
    for (const connection of connections) connection[Symbol.dispose]()
  }

  /** Resolves when every connection, whatever worker it reaches, is told that the service has the role. */
  const knownToAll = (roleName: string) =>
    until(
      async () => {
        const path = '/access/domain/weather/principal/sports.api'
        const answers = await Promise.all(connections.map((each) => each.ask('GET', path)))
        return answers.every(({ body }) => (body as { roles?: string[] }).roles?.includes(roleName))
      },
      { what: `${roleName} at all workers`, timeoutMillis: 30_000 },
    )
  const addRole = (name: string) => {
    const body = { name, roleMembers: [{ memberName: 'sports.api' }] }
    return zms.call('putRole', { domainName: 'weather', roleName: name, body })
  }

  try {
    await addRole('forecasters')
    await knownToAll('forecasters')
    const requests = [...(await metricOf(opsPort, 'athenz_worker_requests_total')).values()]
    assert.equal(requests.length, WORKERS)
    assert.ok(
      requests.every((count) => count > 0),
      `requests of the workers: ${requests.join(', ')}`,
    )

    // A register token of one worker, a certificate of another, renewals at others: there is one record of it.
    const [first, second] = connections as [KeptConnection, KeptConnection]
    const instance = `/instance/${PROVIDER}/sports/api/i-1`
    const { body: token } = await first.ask('GET', `${instance}/token`)
    const csr = await serviceCertificateRequest({
      domain: 'sports',
      service: 'api',
      dnsDomain: DNS_DOMAIN,
      privateKey,
      instance: { provider: PROVIDER, id: 'i-1' },
    })
    const { attestationData } = token as { attestationData: string }
    const told = { provider: PROVIDER, domain: 'sports', service: 'api', attestationData, csr }
    const registered = await second.ask('POST', '/instance', told)
    assert.equal(registered.status, 201, JSON.stringify(registered.body))
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
    const certificateOf = ({ body }: { body: unknown }) => (body as { x509Certificate: string }).x509Certificate
    const original = certificateOf(registered)
    const refresh = async (cert: string) => {
      using connection = connect({ cert, key })
      return await connection.ask('POST', instance, { csr, attestationData })
    }
    let current = original
    for (let turn = 0; turn < 2 * WORKERS; turn++) {
      const refreshed = await refresh(current)
      assert.equal(refreshed.status, 200, JSON.stringify(refreshed.body))
      current = certificateOf(refreshed)
    }
    // Whoever shows the first one by now has stolen it: every worker knows.
    for (let turn = 0; turn < WORKERS; turn++) {
      const refused = await refresh(original)
      assert.equal(refused.status, 403, JSON.stringify(refused.body))
      assert.match(JSON.stringify(refused.body), /revoked|serial/i)
    }

    // The first worker also writes the local copy of the domains.
    const [leader = 0] = (await workersOf(pids.zts ?? 0)).toSorted((a, b) => a - b)
    closeAll()
    process.kill(leader, 'SIGKILL')
    const up = async () => [...(await metricOf(opsPort, 'athenz_worker_up')).values()]
    await until(async () => (await metricOf(opsPort, 'athenz_worker_restarts_total')).get('') === 1, {
      what: 'a restart',
    })
    await until(async () => (await up()).every((value) => value === 1), { what: 'a new worker', timeoutMillis: 30_000 })
    connections = Array.from({ length: CONNECTIONS }, () => connect())
    await addRole('painters')
    await knownToAll('painters')
    const copy = join(dir, 'var', 'zts_server', 'zts_store', 'weather')
    await until(async () => (await readFile(copy, 'utf8')).includes('painters'), { what: 'the local copy' })
  } finally {
    closeAll()
  }
})

test('a ZTS with workers that is stopped under load answers what it was sent, and ends with all of them', async () => {
  await using servers = await FaultServers.make(temporaryFolder(), { zts: true })
  await servers.start('zms')
  const zts = await servers.start('zts', { workers: WORKERS })
  assert.equal((await workersOf(zts.pid)).length, WORKERS)
  await zts.becomes(200)
  const requests = () => requestText('GET', '/zts/v1/access/read/sys.auth:thing')
  const awaited = '/zts/v1/domain/sys.auth/signed_policy_data'
  await stopUnderLoad(servers, zts, { connections: CONNECTIONS, requests, awaited })
})
