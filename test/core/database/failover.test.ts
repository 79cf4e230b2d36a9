import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { parseJdbcUrl } from '#core/config/jdbc-url.ts'
import { databaseSettings } from '#core/database/database-settings.ts'
import { MySqlConnection, type MySqlSettings } from '#core/database/mysql-connection.ts'
import { MySqlPool } from '#core/database/mysql-pool.ts'
import { type MariaDb, startMariaDb } from '../../support/mariadb.ts'
import { POOL_LIMITS } from '../../support/mysql-store.ts'

const portOf = async (connection: MySqlConnection) => {
  const [row] = await connection.rows<{ port: number }>('SELECT @@port AS port')
  return row?.port
}

describe('several servers of one database', () => {
  let first: MariaDb
  let second: MariaDb

  before(async () => {
    ;[first, second] = await Promise.all([startMariaDb(), startMariaDb()])
  })
  after(() => Promise.all([first.stop(), second.stop()]))

  const settings = (statementTimeoutMillis = 10_000): MySqlSettings => {
    const parsed = parseJdbcUrl(`jdbc:mysql://127.0.0.1:${first.port},127.0.0.1:${second.port}/mysql`)
    assert.ok(parsed.ok)
    return databaseSettings(parsed.url, { user: 'root', password: undefined, tls: false, statementTimeoutMillis })
  }
  const usedPort = async (of: MySqlSettings) => {
    const connection = await MySqlConnection.open(of)
    try {
      return await portOf(connection)
    } finally {
      connection.close()
    }
  }

  test('are used in the order in which they are named', async () => {
    assert.equal(await usedPort(settings()), first.port)
  })

  test('stand in for one that is down, which is used again when it is back', async () => {
    const both = settings()
    await first.crash()
    assert.equal(await usedPort(both), second.port)
    await first.restart()
    assert.equal(await usedPort(both), second.port, 'it is left alone for a while')
    assert.equal(await usedPort(settings()), first.port)
  })

  test('stand in for one that takes no writes: what it holds may be old', async () => {
    await first.query('SET GLOBAL read_only = ON')
    try {
      assert.equal(await usedPort(settings()), second.port)
      await second.query('SET GLOBAL read_only = ON')
      await assert.rejects(usedPort(settings()), { fault: 'unreachable', message: /the server is read-only/ })
    } finally {
      for (const server of [first, second]) await server.query('SET GLOBAL read_only = OFF')
    }
  })

  test('stand in for one that does not answer, whose other connections are given up, too', async () => {
    const pool = new MySqlPool(settings(200), POOL_LIMITS)
    const [slow, idle, busy] = [await pool.acquire(), await pool.acquire(), await pool.acquire()]
    pool.release(idle)
    const unanswered = assert.rejects(slow.rows('SELECT SLEEP(2)'), { fault: 'timeout' })
    await unanswered
    assert.deepEqual([slow.usable, idle.usable, busy.usable], [false, false, false])
    pool.release(slow)
    pool.release(busy)
    const next = await pool.acquire()
    assert.equal(await portOf(next), second.port)
    pool.release(next)
    assert.partialDeepStrictEqual(pool.state, { busy: 0, idle: 1, waiting: 0 })
    pool.close()
  })

  test('are all away', async () => {
    const nowhere = settings()
    await Promise.all([first.crash(), second.crash()])
    await assert.rejects(MySqlConnection.open(nowhere), { fault: 'unreachable', message: /^cannot connect: / })
    await Promise.all([first.restart(), second.restart()])
    assert.equal(await usedPort(nowhere), first.port)
  })
})
