import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { MySqlConnection } from '#core/database/mysql-connection.ts'
import { type MariaDb, startMariaDb } from '../../../support/mariadb.ts'
import { openStore, POOL_LIMITS, settingsFor } from '../../../support/mysql-store.ts'
import { addReader, readersOf } from '../../../support/sports-readers.ts'
import { suspend } from '../../../support/suspend.ts'
import { startTcpProxy, type Verdict } from '../../../support/tcp-proxy.ts'

const SCHEMA = join(import.meta.dirname, '../../../../schema/zms_server.sql')
const DATA = join(import.meta.dirname, '../../../database/original-data.sql')

/** Breaks the connection at a COMMIT with changes, the first unless told. */
const cutAt = (verdict: Verdict, number = 1) => {
  let left = number
  return (data: Buffer): Verdict => {
    if (left === 0 || !data.includes('COMMIT') || data.includes('SELECT')) return 'pass'
    left--
    return left === 0 ? verdict : 'pass'
  }
}

/** The same; when the store then asks what became of its transaction, somebody else is faster, once. */
const cutAnd = (verdict: Verdict, meanwhile: () => Promise<unknown>) => {
  const cut = cutAt(verdict)
  let isNext = false
  return async (data: Buffer): Promise<Verdict> => {
    const now = cut(data)
    if (now === verdict) isNext = true
    else if (isNext && data.includes('FOR UPDATE')) {
      isNext = false
      await meanwhile()
    }
    return now
  }
}

/** An answer to a statement: an error that nobody knows. */
const unknownError = () => {
  const text = Buffer.from('\xff\xff\x7f#HY000something went wrong', 'latin1')
  return Buffer.concat([Buffer.from([text.length, 0, 0, 1]), text])
}

describe('a MySQL store whose database fails', () => {
  let db: MariaDb
  let database: string

  before(async () => {
    db = await startMariaDb({ durable: true })
  })
  after(() => db.stop())
  beforeEach(async () => {
    database = await db.freshDatabase(SCHEMA)
    await db.load(database, DATA)
  })

  /** Waits until the clock of the database is after the last change of `sports`. */
  const clockHasPassedStamp = () =>
    db.query(`SELECT SLEEP(GREATEST(0, UNIX_TIMESTAMP(modified) - UNIX_TIMESTAMP(NOW(3)) + 0.01))
      FROM ${database}.domain WHERE name = 'sports'`)

  for (const [what, verdict, decisions] of [
    ['repeats a transaction whose COMMIT did not arrive', 'cut-before', 2],
    ['does not repeat a transaction whose COMMIT arrived but not its answer', 'cut-after', 1],
  ] as const) {
    test(what, async () => {
      await using proxy = await startTcpProxy(db.port)
      const store = openStore(db, database, { primary: { ...settingsFor(db, database), port: proxy.port } })
      const other = openStore(db, database)
      await addReader(store, 'user.before')
      const start = (await other.domain('sports'))?.featureFlags ?? 0
      proxy.judge = cutAt(verdict)
      let runs = 0
      await store.transact(['sports'], async (transaction) => {
        runs++
        const domain = await transaction.domain('sports')
        assert.ok(domain)
        const value = { ...domain, featureFlags: (domain.featureFlags ?? 0) + 1 }
        transaction.apply({ kind: 'putDomain', domain: 'sports', value })
      })
      assert.equal(runs, decisions)
      for (const each of [store, other]) assert.equal((await each.domain('sports'))?.featureFlags, start + 1)
      await Promise.all([store.close(), other.close()])
    })
  }

  test('refuses to guess when the domain was changed after an unanswered COMMIT', async () => {
    await using proxy = await startTcpProxy(db.port)
    const store = openStore(db, database, { primary: { ...settingsFor(db, database), port: proxy.port } })
    await addReader(store, 'user.before')
    const other = openStore(db, database)
    proxy.judge = cutAnd('cut-after', () => addReader(other, 'user.other'))
    await assert.rejects(addReader(store, 'user.mine'), {
      status: 409,
      message: 'Concurrent update conflict, please retry your operation later.',
    })
    assert.ok((await readersOf(store)).has('user.other'))
    await Promise.all([store.close(), other.close()])
  })

  test('refuses to guess when somebody else may have given the same stamp, since it is ahead of the clock', async () => {
    await db.query(`UPDATE ${database}.domain SET modified = NOW(3) + INTERVAL 1 HOUR WHERE name = 'sports'`)
    await using proxy = await startTcpProxy(db.port)
    const store = openStore(db, database, { primary: { ...settingsFor(db, database), port: proxy.port } })
    const other = openStore(db, database)
    await addReader(store, 'user.before')
    proxy.judge = cutAnd('cut-before', () => addReader(other, 'user.other'))
    await assert.rejects(addReader(store, 'user.mine'), { status: 409 })
    const found = await readersOf(store)
    assert.deepEqual([found.has('user.other'), found.has('user.mine')], [true, false])
    await Promise.all([store.close(), other.close()])
  })

  test('refuses to guess also when the clock has passed that stamp by the time that it asks', async () => {
    await using proxy = await startTcpProxy(db.port)
    const store = openStore(db, database, { primary: { ...settingsFor(db, database), port: proxy.port } })
    const other = openStore(db, database)
    await addReader(store, 'user.before')
    proxy.judge = cutAnd('cut-before', async () => {
      await addReader(other, 'user.other')
      await clockHasPassedStamp()
    })
    await db.query(`UPDATE ${database}.domain SET modified = NOW(3) + INTERVAL 2 SECOND WHERE name = 'sports'`)
    await assert.rejects(addReader(store, 'user.mine'), { status: 409 })
    const found = await readersOf(store)
    assert.deepEqual([found.has('user.other'), found.has('user.mine')], [true, false])
    await Promise.all([store.close(), other.close()])
  })

  test('does not repeat transactions that were committed although the answer is an error', async () => {
    await using proxy = await startTcpProxy(db.port)
    const store = openStore(db, database, { primary: { ...settingsFor(db, database), port: proxy.port } })
    await addReader(store, 'user.before')
    const cut = cutAt('cut-after', 2)
    proxy.judge = (data) => (cut(data) === 'pass' ? 'pass' : { answer: unknownError() })
    const names = Array.from({ length: 20 }, (_, index) => `user.member${index}`)
    const runs: string[] = []
    const put = (memberName: string) =>
      store.transact(['sports'], (transaction) => {
        runs.push(memberName)
        transaction.apply({ kind: 'putRoleMember', domain: 'sports', role: 'readers', value: { memberName } })
      })
    await clockHasPassedStamp()
    // While the first is under way, the others come together into the next batch.
    await Promise.all(['user.first', ...names].map(put))
    assert.deepEqual(runs, ['user.first', ...names])
    const found = await readersOf(store)
    assert.deepEqual(
      names.filter((name) => !found.has(name)),
      [],
    )
    await store.close()
  })

  test('gives a connection back once when its COMMIT is interrupted', async () => {
    const store = openStore(db, database, { pool: { ...POOL_LIMITS, maxTotal: 4 } })
    await addReader(store, 'user.before')
    const blocker = await MySqlConnection.open(settingsFor(db, database))
    for (const stage of ['START', 'FLUSH', 'BLOCK_DDL', 'BLOCK_COMMIT'])
      await blocker.statement(`BACKUP STAGE ${stage}`)
    const change = addReader(store, 'user.mine')
    const commits = () =>
      db.query<{ ID: number }>(`SELECT ID FROM information_schema.PROCESSLIST WHERE DB = ? AND INFO = 'COMMIT'`, [
        database,
      ])
    let found = await commits()
    while (found.length === 0) found = await commits()
    await db.query(`KILL QUERY ${found[0]?.ID}`)
    await blocker.statement('BACKUP STAGE END')
    await change
    blocker.close()
    assert.ok((await readersOf(store)).has('user.mine'))
    const { idle, busy } = [...store.pools()].find(([name]) => name === 'primary, writing')?.[1] ?? { idle: 9, busy: 9 }
    assert.deepEqual({ idle, busy }, { idle: 1, busy: 0 })
    await store.close()
  })

  for (const [what, refusals, outcome] of [
    ['asks until it knows', 2, 'done'],
    ['says that nobody can tell', Number.POSITIVE_INFINITY, 'refused'],
  ] as const) {
    test(`${what} when the database is away after an unanswered COMMIT, and repeats nothing`, async () => {
      await using proxy = await startTcpProxy(db.port)
      const store = openStore(db, database, { primary: { ...settingsFor(db, database), port: proxy.port } })
      const other = openStore(db, database)
      await addReader(store, 'user.before')
      const start = (await other.domain('sports'))?.featureFlags ?? 0
      const cut = cutAt('cut-after')
      const known = new Set<number>()
      let refused = Number.NaN
      proxy.judge = (data, connection) => {
        const isNew = !known.has(connection)
        known.add(connection)
        if (refused < refusals && isNew) {
          refused++
          return 'cut-before'
        }
        const verdict = cut(data)
        if (verdict === 'cut-after') refused = 0
        return verdict
      }
      let runs = 0
      const change = store.transact(['sports'], async (transaction) => {
        runs++
        const domain = await transaction.domain('sports')
        assert.ok(domain)
        const value = { ...domain, featureFlags: (domain.featureFlags ?? 0) + 1 }
        transaction.apply({ kind: 'putDomain', domain: 'sports', value })
      })
      if (outcome === 'done') await change
      else await assert.rejects(change, { status: 409, detail: /^the connection broke .* could not be asked$/ })
      assert.equal(runs, 1)
      assert.equal((await other.domain('sports'))?.featureFlags, start + 1)
      await Promise.all([store.close(), other.close()])
    })
  }

  test('refuses all transactions of an unanswered COMMIT when nobody can tell, and repeats none of them', async () => {
    await using proxy = await startTcpProxy(db.port)
    const store = openStore(db, database, { primary: { ...settingsFor(db, database), port: proxy.port } })
    const other = openStore(db, database)
    await addReader(store, 'user.before')
    let runs = 0
    const remove = (member: string) =>
      store.transact(['sports'], (transaction) => {
        runs++
        transaction.apply({ kind: 'deleteRoleMember', domain: 'sports', role: 'readers', member })
      })
    for (const member of ['user.a', 'user.b']) await addReader(store, member)
    proxy.judge = cutAnd('cut-after', async () => {
      for (const member of ['user.a', 'user.b']) await addReader(other, member)
    })
    // What comes at the same time is committed together.
    const both = [remove('user.a'), remove('user.b')]
    await Promise.all(both.map((each) => assert.rejects(each, { status: 409, detail: /changed since$/ })))
    assert.equal(runs, 2)
    const left = await readersOf(other)
    assert.ok(left.has('user.a') && left.has('user.b'), 'what was added afterwards stays')
    await Promise.all([store.close(), other.close()])
  })

  test('keeps every acknowledged change over crashes, and recovers alone', { timeout: 120_000 }, async () => {
    const store = openStore(db, database)
    const acknowledged = new Set<string>()
    const work = { over: false }
    const write = async (writer: number) => {
      for (let index = 0; !work.over; index++) {
        const member = `user.w${writer}.${index}`
        // While the server is down writers are refused; they must not be told of success.
        try {
          await addReader(store, member)
          acknowledged.add(member)
        } catch {
          await nextTurn()
        }
      }
    }
    const writers = Array.from({ length: 8 }, (_, writer) => write(writer))
    for (let crash = 1; crash <= 3; crash++) {
      const goal = acknowledged.size + 50
      while (acknowledged.size < goal) await nextTurn()
      await db.crash()
      await db.restart()
    }
    work.over = true
    await Promise.all(writers)
    const fresh = openStore(db, database)
    for (const each of [store, fresh]) {
      const found = await readersOf(each)
      for (const member of acknowledged) assert.ok(found.has(member), member)
    }
    await Promise.all([store.close(), fresh.close()])
  })

  test('reads go on after the server was restarted', async () => {
    const store = openStore(db, database)
    await Promise.all([store.domain('sports'), store.domainNames(), store.domains(['labs', 'retail'])])
    await db.crash()
    await db.restart()
    assert.equal((await store.domain('sports'))?.name, 'sports')
    assert.ok((await store.domainNames()).includes('labs'))
    assert.equal(await store.check(), true)
    await store.close()
  })

  test('answers 503 when the server does not answer in time, and goes on when it does', async () => {
    const primary = { ...settingsFor(db, database), statementTimeoutMillis: 300, connectTimeoutMillis: 300 }
    const store = openStore(db, database, { primary })
    await store.domain('sports')
    {
      using _ = await suspend(db.pid)
      await assert.rejects(store.domain('sports'), { status: 503 })
      await assert.rejects(addReader(store, 'user.a'), { status: 503 })
      assert.equal(await store.check(), false)
    }
    const patient = openStore(db, database)
    await patient.domain('sports')
    assert.equal((await store.domain('sports'))?.name, 'sports')
    await addReader(store, 'user.b')
    assert.ok((await readersOf(patient)).has('user.b'))
    await Promise.all([store.close(), patient.close()])
  })

  test('answers 503 once it is closed, and leaves no connection behind', { timeout: 20_000 }, async () => {
    const store = openStore(db, database)
    await Promise.all([store.domain('sports'), addReader(store, 'user.a'), store.domainNames()])
    await store.close()
    for (const attempt of [
      () => store.domain('sports'),
      () => store.domains(['sports']),
      () => store.domainNames(),
      () => addReader(store, 'user.b'),
    ]) {
      await assert.rejects(async () => attempt(), { status: 503 })
    }
    const connections = () => db.query('SELECT ID FROM information_schema.PROCESSLIST WHERE DB = ?', [database])
    while ((await connections()).length > 0) await nextTurn()
  })
})
