import assert from 'node:assert/strict'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { createConnection } from 'mysql2/promise'
import { PROJECT_FOLDER } from '../../src/cli/server-kind.ts'
import { type MariaDb, startMariaDb } from '../support/mariadb.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'
import { AcknowledgedWrites } from './acknowledged-writes.ts'
import type { Fault } from './fault.ts'
import { FaultServers, type RunningFaultServer } from './fault-servers.ts'

const SCHEMA = join(PROJECT_FOLDER, 'schema', 'zms_server.sql')

/** As shipped, a write is tried again for half a minute; clients here hear of it sooner. */
const RETRIES = {
  settings: { 'athenz.zms.request_conflict_retry_count': 20, 'athenz.zms.request_conflict_retry_sleep_time': 100 },
}

/** The database of ZMS fails in all the ways it can. */
export const database: Fault = {
  name: 'database',
  what: 'the database is away when ZMS starts, goes away, is slow, does not take writes, and locks what ZMS needs',
  async attempt({ dir, size, report }) {
    const awayMillis = size === 'long' ? 180_000 : 2_000
    const slowMillis = size === 'long' ? 60_000 : 3_000
    const db = await startMariaDb({ durable: true })
    try {
      const name = await db.freshDatabase(SCHEMA)
      // Like a real one, the account is no administrator: those may write to a read-only server.
      await db.query(`CREATE USER 'zms'@'%' IDENTIFIED BY 'zms'`)
      await db.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${name}.* TO 'zms'@'%'`)
      await using proxy = await startTcpProxy(db.port)
      await using servers = await FaultServers.make(dir, {
        mysqlUrl: `mysql://zms:zms@127.0.0.1:${proxy.port}/${name}`,
      })
      const writes = new AcknowledgedWrites(4)
      let zms = await servers.start('zms', RETRIES)
      await writes.prepare(zms)
      zms.kill('SIGTERM')
      await zms.ended

      await db.crash()
      zms = await servers.start('zms', RETRIES)
      await zms.becomes(503)
      assert.equal((await zms.ask('GET', '/domain/faults')).status, 503)
      await db.restart()
      await zms.becomes(200)
      writes.start(() => zms)
      await writes.more(20)
      report('away at the start: ZMS listens, says 503 and that it is not ready, and goes on by itself')

      await db.crash()
      await writes.moreRefusals(3)
      await zms.becomes(503)
      await pause(awayMillis)
      assert.equal((await zms.readiness()).status, 503)
      await db.restart()
      await zms.becomes(200)
      await writes.more(20)
      await writes.assertKept(zms)
      report(`killed, and away for ${awayMillis / 1000} s under load: ${writes.story}`)

      proxy.delay = () => pause(100)
      const before = writes.count
      await pause(slowMillis)
      assert.equal((await zms.readiness()).status, 200)
      const slow = writes.count - before
      proxy.delay = () => {}
      await writes.more(20)
      await writes.assertKept(zms)
      report(`each answer 100 ms late for ${slowMillis / 1000} s: ${slow} writes acknowledged, ready all the time`)

      await readOnly(db, zms, writes)
      report(`read-only (1290): refused and told in /readyz, reads go on, ${writes.story}`)

      const locks = await lockRows(db, name, slowMillis, writes)
      await writes.more(20)
      await writes.stop()
      await writes.assertKept(zms)
      report(`rows locked in the other order by somebody else, ${locks} times: ${writes.story}; none lost`)
    } finally {
      await db.stop()
    }
  },
}

async function readOnly(db: MariaDb, zms: RunningFaultServer, writes: AcknowledgedWrites): Promise<void> {
  await db.query('SET GLOBAL read_only = 1')
  await writes.moreRefusals(3)
  const remarked = async () => {
    const { status, body } = await zms.readiness()
    return status === 200 && JSON.stringify(body).includes('the database does not take writes')
  }
  await until(remarked, { timeoutMillis: 20_000, what: 'a remark about the database' })
  assert.equal((await zms.ask('GET', '/domain/faults')).status, 200)
  await db.query('SET GLOBAL read_only = 0')
  await writes.more(20)
  await until(async () => !(await remarked()), { what: 'that the remark is taken back' })
  await writes.assertKept(zms)
}

/** Somebody else, against all rules, locks the rows that every write needs, in an order that leads to deadlocks. */
async function lockRows(db: MariaDb, name: string, forMillis: number, writes: AcknowledgedWrites): Promise<number> {
  const connection = await createConnection({ host: '127.0.0.1', port: db.port, user: 'root', database: name })
  const end = performance.now() + forMillis
  let locks = 0
  try {
    while (performance.now() < end) {
      const before = writes.count
      await connection.query('BEGIN')
      try {
        await connection.query(`UPDATE role SET description = 'x' WHERE name LIKE 'w%' ORDER BY role_id DESC`)
        await pause(30)
        await connection.query(`UPDATE domain SET description = 'x' WHERE name = 'faults'`)
      } catch {
        // The victim of a deadlock may be either.
      }
      await connection.query('ROLLBACK')
      locks++
      await until(() => writes.count > before, { timeoutMillis: 30_000, what: 'a write between locks' })
    }
  } finally {
    await connection.end()
  }
  return locks
}
