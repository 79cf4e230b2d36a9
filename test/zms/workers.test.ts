import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { freePort } from '../../src/cli/server-port.ts'
import { FaultServers } from '../faults/fault-servers.ts'
import { NumberedMembers, stopUnderLoad } from '../faults/stop-under-load.ts'
import { type DevServers, type DevServersOptions, startDevServers } from '../support/dev-servers.ts'
import { type MariaDb, startMariaDb } from '../support/mariadb.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'
import { administrator, KeptConnection, metricOf, workersOf } from '../support/worker-servers.ts'

const ADMIN = 'user.admin'
const WORKERS = 3
const CONNECTIONS = 6
/** A client whose connections break that often has no server. */
const MANY = 100
/** Machines that test have other things to do as well. */
const PATIENCE_MILLIS = 60_000

interface Zms extends AsyncDisposable {
  readonly servers: DevServers
  readonly opsPort: number
  readonly pid: number
  connect(): KeptConnection
}

async function startZms(options: Omit<DevServersOptions, 'zts' | 'settings'>): Promise<Zms> {
  const opsPort = await freePort()
  const settings = {
    'athenz.zms.workers': String(WORKERS),
    'athenz.ts.ops_port': String(opsPort),
    'athenz.zms.quota_check': 'false',
  }
  const servers = await startDevServers({ ...options, zts: false, settings })
  const { zms, pids } = servers.summary
  const identity = await administrator(servers.summary)
  return {
    servers,
    opsPort,
    pid: pids.zms ?? 0,
    connect: () => new KeptConnection(zms ?? '', identity),
    [Symbol.asyncDispose]: () => servers[Symbol.asyncDispose](),
  }
}

async function makeDomain(zms: Zms): Promise<void> {
  using connection = zms.connect()
  const ask = async (method: string, path: string, body: object) => {
    const { status, body: answer } = await connection.ask(method, path, body)
    assert.ok(status < 300, `${method} ${path}: ${status} ${JSON.stringify(answer)}`)
  }
  await ask('POST', '/domain', { name: 'club', adminUsers: [ADMIN] })
  await ask('PUT', '/domain/club/role/players', { name: 'players' })
  const assertion = { role: 'club:role.players', action: 'play', resource: 'club:field', effect: 'ALLOW' }
  await ask('PUT', '/domain/club/policy/play', { name: 'play', assertions: [assertion] })
}

const membership = (member: string) => `/domain/club/role/players/member/${member}`
const access = (member: string) => `/access/play/club:field?principal=${member}`

async function membersOf(zms: Zms): Promise<Set<string>> {
  using connection = zms.connect()
  const { body } = await connection.ask('GET', '/domain/club/role/players')
  return new Set((body as { roleMembers?: { memberName: string }[] }).roleMembers?.map(({ memberName }) => memberName))
}

/** What there is to be known of workers, whatever the store. */
function workersSuite(storeOptions: (name: string) => Promise<Pick<DevServersOptions, 'mysqlUrl'>>): void {
  test('what one connection was told is seen by all others, whichever workers they reach', async () => {
    const dir = temporaryFolder()
    await using zms = await startZms({ dir, ...(await storeOptions('zms_consistent')) })
    await makeDomain(zms)
    const connections = Array.from({ length: CONNECTIONS }, () => zms.connect())
    try {
      const client = async (number: number) => {
        for (let round = 0; round < 8; round++) {
          const member = `user.member${number}x${round}`
          const own = connections[(number + round) % CONNECTIONS] as KeptConnection
          const seenByAll = async (granted: boolean) => {
            const answers = await Promise.all(connections.map((each) => each.ask('GET', access(member))))
            for (const { status, body } of answers) assert.deepEqual([status, body], [200, { granted }])
          }
          const added = await own.ask('PUT', membership(member), { memberName: member })
          assert.equal(added.status, 204)
          await seenByAll(true)
          const lists = await Promise.all(
            connections.map((each) => each.ask('GET', `/domain?member=${member}&role=players`)),
          )
          for (const { body } of lists) assert.deepEqual(body, { names: ['club'] })
          assert.equal((await own.ask('DELETE', membership(member))).status, 204)
          await seenByAll(false)
        }
      }
      await Promise.all([client(0), client(1), client(2)])
      const requests = [...(await metricOf(zms.opsPort, 'athenz_worker_requests_total')).values()]
      assert.equal(requests.length, WORKERS)
      for (const count of requests) assert.ok(count > 100, `requests of the workers: ${requests.join(', ')}`)
    } finally {
      for (const connection of connections) connection[Symbol.dispose]()
    }
  })

  test('a worker that is killed takes only its own connections with it, and another one takes its place', async () => {
    const dir = temporaryFolder()
    await using zms = await startZms({ dir, ...(await storeOptions('zms_killed')) })
    await makeDomain(zms)
    const acknowledged = new Set<string>()
    const stopping = new AbortController()
    using cleanup = new DisposableStack()
    cleanup.defer(() => stopping.abort())
    const client = async (number: number) => {
      using connection = zms.connect()
      let broken = 0
      for (let round = 0; !stopping.signal.aborted && broken < MANY; round++) {
        const member = `user.member${number}x${round}`
        try {
          const { status, body } = await connection.ask('PUT', membership(member), { memberName: member })
          assert.equal(status, 204, JSON.stringify(body))
          acknowledged.add(member)
        } catch (error) {
          if (error instanceof assert.AssertionError) throw error
          broken++
        }
      }
      return broken
    }
    const clients = Array.from({ length: CONNECTIONS }, (_, number) => client(number))
    await until(() => acknowledged.size > 60, { what: 'writes', timeoutMillis: PATIENCE_MILLIS })
    const [victim = 0, ...others] = (await workersOf(zms.pid)).toSorted((a, b) => a - b)
    assert.equal(others.length, WORKERS - 1)
    process.kill(victim, 'SIGKILL')
    const up = async () => [...(await metricOf(zms.opsPort, 'athenz_worker_up')).values()]
    await until(async () => (await metricOf(zms.opsPort, 'athenz_worker_restarts_total')).get('') === 1, {
      what: 'a restart',
      timeoutMillis: PATIENCE_MILLIS,
    })
    await until(async () => (await up()).every((value) => value === 1), {
      what: 'a new worker',
      timeoutMillis: PATIENCE_MILLIS,
    })
    const soFar = acknowledged.size
    await until(() => acknowledged.size > soFar + 60, { what: 'further writes', timeoutMillis: PATIENCE_MILLIS })
    stopping.abort()
    const broken = await Promise.all(clients)
    // Each worker had some of the connections, about two of the six.
    const hit = broken.filter((count) => count > 0)
    assert.ok(hit.length >= 1 && hit.length < CONNECTIONS, `broken: ${broken.join(', ')}`)
    // Who connects again at once may come to the same worker once more, before its end is noticed.
    assert.ok(
      hit.every((count) => count <= 2),
      `broken: ${broken.join(', ')}`,
    )
    const members = await membersOf(zms)
    assert.deepEqual(
      [...acknowledged].filter((member) => !members.has(member)),
      [],
    )
    assert.equal((await fetch(`http://127.0.0.1:${zms.opsPort}/readyz`)).status, 200)
  })

  test('a server that is stopped under load answers what it was sent, ends with all its workers, and has it all', async () => {
    const options = await storeOptions('zms_stopped')
    await using servers = await FaultServers.make(temporaryFolder(), options)
    const zms = await servers.start('zms', { workers: WORKERS })
    assert.equal((await workersOf(zms.pid)).length, WORKERS)
    const members = await NumberedMembers.prepare(zms, 'stops', CONNECTIONS)
    const requests = members.additions()
    const { stories } = await stopUnderLoad(servers, zms, { connections: CONNECTIONS, requests })
    await members.assertWritten(await servers.start('zms', { workers: WORKERS }), stories)
  })
}

describe('workers of a ZMS with the file store', () => {
  workersSuite(async () => ({}))
})

describe('workers of a ZMS on a database', () => {
  let database: MariaDb
  before(async () => {
    database = await startMariaDb()
  })
  after(() => database[Symbol.asyncDispose]())
  workersSuite(async (name) => {
    await database.query(`CREATE DATABASE ${name}`)
    return { mysqlUrl: database.url(name) }
  })
})
