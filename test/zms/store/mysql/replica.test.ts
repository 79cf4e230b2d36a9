import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { ServiceError } from '#core/error/service-error.ts'
import type { MySqlStore } from '#zms/store/mysql/mysql-store.ts'
import { type MariaDb, startMariaDb } from '../../../support/mariadb.ts'
import { openStore, settingsFor } from '../../../support/mysql-store.ts'
import { emptyDomain, plainSettings } from '../suite/samples.ts'

const SCHEMA = 'schema/zms_server.sql'
const PATIENCE_MILLIS = 30_000

/** Waits until a question has this answer. */
async function until(what: string, isTrue: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MILLIS
  while (!(await isTrue())) {
    assert.ok(performance.now() < deadline, `not in time: ${what}`)
    await pause(10)
  }
}

const unavailable = (error: unknown) => error instanceof ServiceError && error.code === 'unavailable'

describe('a store with a replica', () => {
  let primary: MariaDb
  let replica: MariaDb
  let database: string
  const log: string[] = []
  const mode = { readOnly: false }
  let store: MySqlStore

  before(async () => {
    ;[primary, replica] = await Promise.all([
      startMariaDb({ durable: true, args: ['--server-id=1', '--log-bin', '--binlog-format=ROW'] }),
      startMariaDb({ args: ['--server-id=2', '--read-only'] }),
    ])
    await replica.query(
      `CHANGE MASTER TO master_host='127.0.0.1', master_port=${primary.port}, master_user='root',
       master_connect_retry=1, master_use_gtid=slave_pos`,
    )
    await replica.query('START SLAVE')
    database = await primary.freshDatabase(SCHEMA)
    await caughtUp()
    store = openStore(primary, database, {
      replica: settingsFor(replica, database),
      readOnly: () => mode.readOnly,
      log: (level, message) => log.push(`${level}: ${message}`),
      retry: { count: 3, sleepMillis: 50, totalMillis: 5_000 },
    })
  })
  after(async () => {
    await store?.close()
    await Promise.all([primary?.stop(), replica?.stop()])
  })

  /** Waits until the replica has all that the primary has. */
  async function caughtUp(): Promise<void> {
    const [position] = await primary.query<{ gtid: string }>('SELECT @@gtid_binlog_pos AS gtid')
    const [waited] = await replica.query<{ left: number }>(`SELECT MASTER_GTID_WAIT('${position?.gtid}', 30) AS 'left'`)
    assert.equal(Number(waited?.left), 0)
  }

  const create = (name: string) =>
    store.transact([name], (transaction) =>
      transaction.apply({ kind: 'createDomain', domain: name, value: emptyDomain(name) }),
    )
  const describeDomain = (name: string, text: string) =>
    store.transact([name], (transaction) =>
      transaction.apply({ kind: 'putDomain', domain: name, value: { ...plainSettings(name), description: text } }),
    )
  const description = async (name: string, from = store) => (await from.domain(name))?.description
  const loadsOf = async (server: MariaDb) => {
    const [row] = await server.query<{ Value: string }>("SHOW GLOBAL STATUS LIKE 'Com_begin'")
    return Number(row?.Value)
  }

  test('loads domains from it once it has caught up, and never an older state', async () => {
    await create('sports')
    await caughtUp()
    const fresh = openStore(primary, database, { replica: settingsFor(replica, database) })
    const earlier = { primary: await loadsOf(primary), replica: await loadsOf(replica) }
    assert.equal((await fresh.domain('sports'))?.name, 'sports')
    assert.deepEqual(
      { primary: await loadsOf(primary), replica: await loadsOf(replica) },
      { primary: earlier.primary, replica: earlier.replica + 1 },
    )
    // A replica that is behind is no reason to see what was: another server's change counts at once.
    await replica.query('STOP SLAVE SQL_THREAD')
    for (const text of ['one', 'two', 'three']) {
      await describeDomain('sports', text)
      assert.equal(await description('sports', fresh), text)
    }
    await replica.query('START SLAVE SQL_THREAD')
    await fresh.close()
  })

  test('goes on with the primary while the replica is away, says so once, and comes back to it', async () => {
    await create('weather')
    await caughtUp()
    const lines: string[] = []
    const fresh = openStore(primary, database, {
      replica: settingsFor(replica, database),
      log: (_level, message) => lines.push(message),
      maxCachedObjects: 1,
    })
    await replica.crash()
    for (let round = 0; round < 5; round++) assert.equal((await fresh.domain('weather'))?.name, 'weather')
    assert.deepEqual(lines, ['the replica cannot be read, the primary database answers for it'])
    await replica.restart()
    await until('the replica is noticed', async () => lines.at(-1) === 'the replica can be read again')
    // Nobody reads from it: who asks how the store is finds out.
    assert.equal(fresh.remark(), undefined)
    await replica.crash()
    await until(
      'the loss is told',
      async () => fresh.remark() === 'the replica cannot be read, the primary database answers for it',
    )
    assert.equal(await fresh.check(), true)
    await replica.restart()
    await until('that it is back is told', async () => fresh.remark() === undefined)
    let round = 0
    await until('the replica is used', async () => {
      await describeDomain('weather', `state ${round++}`)
      await caughtUp()
      const earlier = await loadsOf(replica)
      await fresh.domain('weather')
      return (await loadsOf(replica)) > earlier
    })
    await fresh.close()
  })

  test('answers nothing from it while the primary is away, unless nothing is written', async () => {
    await create('news')
    await create('music')
    assert.equal(await description('news'), undefined)
    await until('replication runs', async () => (await replica.query(`SELECT 1 FROM ${database}.domain`)).length >= 4)
    // The change is known here, and not yet to the replica.
    await replica.query('STOP SLAVE SQL_THREAD')
    await describeDomain('news', 'later')
    await primary.crash()

    await assert.rejects(store.domain('news'), unavailable)
    await assert.rejects(store.domainNames(), unavailable)
    assert.equal(await store.check(), false)

    mode.readOnly = true
    assert.equal(await description('news'), 'later')
    assert.equal((await store.domain('music'))?.name, 'music')
    assert.ok((await store.domainNames()).includes('news'))
    assert.deepEqual([...(await store.domains(['news', 'music'])).keys()].sort(), ['music', 'news'])
    assert.equal(await description('news'), 'later')
    assert.equal(await store.domain('nowhere'), undefined)
    assert.equal(await store.check(), true)
    assert.deepEqual(log, ['warn: read-only mode: the primary database cannot be reached, the replica answers for it'])

    mode.readOnly = false
    await assert.rejects(store.domain('music'), unavailable)
    mode.readOnly = true

    await primary.restart()
    await until('the primary is noticed', async () => log.at(-1) === 'info: the primary database answers again')
    await describeDomain('news', 'after')
    assert.equal(await description('news'), 'after')
    mode.readOnly = false
    await replica.query('START SLAVE SQL_THREAD')
  })
})
