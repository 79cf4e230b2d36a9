import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { MySqlConnection, type MySqlSettings } from '#core/database/mysql-connection.ts'
import { MySqlPool, type PoolLimits } from '#core/database/mysql-pool.ts'
import { type MariaDb, startMariaDb } from '../../support/mariadb.ts'
import { POOL_LIMITS, settingsFor } from '../../support/mysql-store.ts'

const run = promisify(execFile)

const idOf = async (connection: MySqlConnection) => {
  const [row] = await connection.rows<{ id: number }>('SELECT CONNECTION_ID() AS id')
  return row?.id ?? 0
}

/** The cipher of a new connection; empty when it is not encrypted. */
const cipherOf = async (settings: MySqlSettings) => {
  const connection = await MySqlConnection.open(settings)
  const [row] = await connection.rows<{ Value: string }>("SHOW STATUS LIKE 'Ssl_cipher'")
  connection.close()
  return row?.Value ?? ''
}

const until = async (condition: () => boolean) => {
  while (!condition()) await nextTurn()
}

describe('connections to a database', () => {
  let db: MariaDb
  let folder: string
  let settings: MySqlSettings

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'athenz-tls-'))
    const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')]
    const options = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost']
    await run('openssl', [...options, '-keyout', key, '-out', certificate])
    db = await startMariaDb({ args: [`--ssl-key=${key}`, `--ssl-cert=${certificate}`] })
    settings = settingsFor(db, 'mysql')
  })
  after(async () => {
    await db.stop()
    await rm(folder, { recursive: true })
  })

  const pool = (limits: Partial<PoolLimits> = {}) => new MySqlPool(settings, { ...POOL_LIMITS, ...limits })
  describe('in a pool', () => {
    test('are used again, the last one first', async () => {
      const some = pool()
      const [a, b] = [await some.acquire(), await some.acquire()]
      const [first, second] = [await idOf(a), await idOf(b)]
      some.release(a)
      some.release(b)
      assert.equal(await some.use(idOf), second)
      assert.notEqual(first, second)
      assert.partialDeepStrictEqual(some.state, { busy: 0, idle: 2, waiting: 0 })
      some.close()
    })

    test('are not more than allowed; who comes later waits for his turn', async () => {
      const narrow = pool({ maxTotal: 2 })
      let [running, most] = [0, 0]
      const order: number[] = []
      await Promise.all(
        Array.from({ length: 12 }, (_, index) =>
          narrow.use(async (connection) => {
            most = Math.max(most, ++running)
            await idOf(connection)
            order.push(index)
            running--
          }),
        ),
      )
      assert.equal(most, 2)
      assert.equal(order.length, 12)
      narrow.close()
    })

    test('are not waited for longer than allowed', async () => {
      const narrow = pool({ maxTotal: 1, maxWaitMillis: 20 })
      const connection = await narrow.acquire()
      await assert.rejects(narrow.acquire(), { fault: 'timeout' })
      assert.partialDeepStrictEqual(narrow.state, { busy: 1, idle: 0, waiting: 0 })
      narrow.release(connection)
      narrow.close()
    })

    test('are waited for by callers, whose times are counted, also of those who wait in vain', async () => {
      const narrow = pool({ maxTotal: 1, maxWaitMillis: 20 })
      const { waits } = narrow.state
      const connection = await narrow.acquire()
      const opening = waits.sumSeconds
      assert.deepEqual([waits.count, opening > 0], [1, true])
      await assert.rejects(narrow.acquire(), { fault: 'timeout' })
      assert.equal(waits.count, 2)
      // Timers may be a little early.
      assert.ok(waits.sumSeconds - opening > 0.015, `${waits.sumSeconds - opening} s`)
      const inVain = waits.sumSeconds
      const second = narrow.acquire()
      narrow.release(connection)
      narrow.release(await second)
      assert.equal(waits.count, 3)
      const soFar = waits.sumSeconds
      assert.ok(soFar > inVain)
      narrow.release(await narrow.acquire())
      assert.deepEqual([waits.count, waits.sumSeconds], [4, soFar])
      narrow.close()
    })

    test('are closed when there are more idle ones than allowed', async () => {
      const small = pool({ maxIdle: 1 })
      const both = [await small.acquire(), await small.acquire()]
      for (const connection of both) small.release(connection)
      assert.partialDeepStrictEqual(small.state, { busy: 0, idle: 1, waiting: 0 })
      small.close()
    })

    test('are closed when they get old, or were opened before the pool was cleared', async () => {
      const brief = pool({ maxLifetimeMillis: 1 })
      const first = await brief.use(async (connection) => {
        await connection.rows('SELECT SLEEP(0.01)')
        return idOf(connection)
      })
      assert.equal(brief.state.idle, 0)
      assert.notEqual(await brief.use(idOf), first)
      brief.close()

      const cleared = pool()
      const busy = await cleared.acquire()
      cleared.clear()
      cleared.release(busy)
      assert.equal(cleared.state.idle, 0)
      cleared.close()
    })

    test('are closed when nobody used them for a while, except for the least number', { timeout: 20_000 }, async () => {
      const tidy = pool({ idleTimeoutMillis: 1, evictIntervalMillis: 5, minIdle: 1 })
      const all = [await tidy.acquire(), await tidy.acquire(), await tidy.acquire()]
      for (const connection of all) tidy.release(connection)
      await until(() => tidy.state.idle === 1)
      tidy.close()
    })

    test('are forgotten when the server closes them', { timeout: 20_000 }, async () => {
      const some = pool()
      const id = await some.use(idOf)
      await db.query(`KILL ${id}`)
      await until(() => some.state.idle === 0)
      assert.notEqual(await some.use(idOf), id)
      some.close()
    })

    test('fail one caller at a time when there is no server', async () => {
      const nowhere = new MySqlPool({ ...settings, port: 1 }, { ...POOL_LIMITS, maxTotal: 1 })
      const outcomes = await Promise.allSettled([nowhere.acquire(), nowhere.acquire(), nowhere.acquire()])
      for (const outcome of outcomes) assert.equal(outcome.status === 'rejected' && outcome.reason.fault, 'unreachable')
      assert.partialDeepStrictEqual(nowhere.state, { busy: 0, idle: 0, waiting: 0 })
      nowhere.close()
    })

    test('are refused once it is closed, also to those who wait', async () => {
      const narrow = pool({ maxTotal: 1 })
      const connection = await narrow.acquire()
      const waiting = assert.rejects(narrow.acquire(), { fault: 'unreachable' })
      narrow.close()
      await waiting
      assert.equal(connection.usable, false)
      await assert.rejects(narrow.acquire(), { fault: 'unreachable' })
    })
  })

  test('check values strictly and take times as UTC, whatever the server does', async () => {
    const connection = await MySqlConnection.open(settings)
    await connection.change('CREATE TEMPORARY TABLE mysql.probe (t DATETIME(3), s VARCHAR(3))', [])
    const time = new Date('2273-04-21T04:13:06.789Z')
    await connection.change('INSERT INTO mysql.probe VALUES (?, ?)', [time, 'abc'])
    const [row] = await connection.rows<{ t: Date }>('SELECT t FROM mysql.probe')
    assert.equal(row?.t.getTime(), time.getTime())
    const [, rows] = await connection.script('SET @t = ?; SELECT CAST(@t AS CHAR) AS t', [time])
    assert.deepEqual(rows, [{ t: '2273-04-21 04:13:06.789' }])
    await assert.rejects(connection.change('INSERT INTO mysql.probe VALUES (?, ?)', [time, 'abcd']), {
      fault: 'too-long',
    })
    await assert.rejects(connection.script('SELECT ?', ["1' OR 'a" as never]), TypeError)
    await assert.rejects(connection.script('SELECT ?, ?', [1]), TypeError)
    assert.equal(connection.usable, true)
    connection.close()
  })

  test('fail at once when they are closed under way', async () => {
    const connection = await MySqlConnection.open(settings)
    const sleeping = assert.rejects(connection.rows('SELECT SLEEP(60)'), { fault: 'lost' })
    connection.close()
    await sleeping
    await assert.rejects(connection.rows('SELECT 1'), { fault: 'lost' })
  })

  test('are encrypted on demand', async () => {
    const tls = { verifyServer: false, versions: ['TLSv1.2', 'TLSv1.3'] }
    assert.equal(await cipherOf(settings), '')
    assert.match(await cipherOf({ ...settings, tls }), /^TLS_|^ECDHE/)
  })

  test('are refused when the server’s certificate has to be verified and cannot be', async () => {
    const tls = { verifyServer: true, versions: ['TLSv1.3'] }
    await assert.rejects(MySqlConnection.open({ ...settings, tls }), { fault: 'unreachable' })
  })

  test('that the server closes before it greets, or does not greet, are unreachable', { timeout: 20_000 }, async () => {
    const greeting = Buffer.from([0x4a, 0, 0, 0, 10, 0x38])
    const silent: Socket[] = []
    const manners: [(socket: Socket) => void, RegExp][] = [
      [(socket) => socket.end(), /^cannot connect: the server closed the connection$/],
      [(socket) => socket.end(greeting), /^cannot connect: the server closed the connection$/],
      [(socket) => socket.resetAndDestroy(), /^cannot connect: /],
      [(socket) => void silent.push(socket), /^cannot connect: no answer in 50 ms$/],
    ]
    for (const [answer, message] of manners) {
      const server = createServer(answer).listen(0, '127.0.0.1')
      await once(server, 'listening')
      const { port } = server.address() as AddressInfo
      const opening = MySqlConnection.open({ ...settings, port, connectTimeoutMillis: 50 })
      await assert.rejects(opening, { fault: 'unreachable', message })
      for (const socket of silent) socket.destroy()
      server.close()
    }
  })

  test('that are refused say why, but not the password', async () => {
    const opening = MySqlConnection.open({ ...settings, user: 'nobody', password: 'geheim' })
    await assert.rejects(opening, (error: Error) => {
      assert.match(error.message, /Access denied for user 'nobody'/)
      assert.doesNotMatch(error.message, /geheim/)
      return true
    })
  })
})
