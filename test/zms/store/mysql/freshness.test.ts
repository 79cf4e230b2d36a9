import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { MySqlConnection } from '#core/database/mysql-connection.ts'
import type { Domain } from '#zms/store/model.ts'
import { Batch } from '#zms/store/mysql/batch.ts'
import { DomainCache } from '#zms/store/mysql/domain-cache.ts'
import type { MySqlStore } from '#zms/store/mysql/mysql-store.ts'
import { MySqlQueries } from '#zms/store/mysql/queries.ts'
import { DatabaseClock } from '#zms/store/mysql/stamp-clock.ts'
import { Sequence } from '#zms/store/mysql/stamps.ts'
import { type MariaDb, startMariaDb } from '../../../support/mariadb.ts'
import { openStore, settingsFor } from '../../../support/mysql-store.ts'
import { startTcpProxy } from '../../../support/tcp-proxy.ts'

const SCHEMA = join(import.meta.dirname, '../../../../schema/zms_server.sql')
const DATA = join(import.meta.dirname, '../../../database/original-data.sql')

const addReader = (store: MySqlStore, memberName: string) =>
  store.transact(['sports'], (transaction) =>
    transaction.apply({ kind: 'putRoleMember', domain: 'sports', role: 'readers', value: { memberName } }),
  )

const isReader = (domain: Domain | undefined, member: string) =>
  domain?.roles.get('readers')?.members.has(member) ?? false

describe('domains of a MySQL store', () => {
  let db: MariaDb
  let database: string
  let store: MySqlStore
  let other: MySqlStore

  before(async () => {
    db = await startMariaDb()
  })
  after(() => db.stop())
  beforeEach(async () => {
    database = await db.freshDatabase(SCHEMA)
    await db.load(database, DATA)
    store = openStore(db, database)
    other = openStore(db, database)
  })
  afterEach(() => Promise.all([store.close(), other.close()]))

  const status = async (name: string) => {
    const [row] = await db.query<{ Value: string }>(`SHOW GLOBAL STATUS LIKE '${name}'`)
    return Number(row?.Value)
  }

  test('show what another server acknowledged before the question', async () => {
    await store.domain('sports')
    for (let round = 0; round < 20; round++) {
      await addReader(other, `user.r${round}`)
      assert.ok(isReader(await store.domain('sports'), `user.r${round}`))
      assert.ok(isReader((await store.domains(['sports', 'labs'])).get('sports'), `user.r${round}`))
    }
  })

  test('show what another server acknowledged before the question, while many ask', async () => {
    await store.domain('sports')
    const rounds = 60
    const acknowledged = { last: -1 }
    const ask = async () => {
      while (acknowledged.last < rounds - 1) {
        const { last } = acknowledged
        const domain = await store.domain('sports')
        if (last >= 0) assert.ok(isReader(domain, `user.r${last}`), `user.r${last}`)
      }
    }
    const asking = Array.from({ length: 30 }, ask)
    for (let round = 0; round < rounds; round++) {
      await addReader(round % 3 === 0 ? store : other, `user.r${round}`)
      acknowledged.last = round
    }
    await Promise.all(asking)
  })

  describe('that a transaction has locked', () => {
    let connection: MySqlConnection
    let cache: DomainCache
    let sequence: Sequence
    let batch: Batch

    beforeEach(async () => {
      sequence = new Sequence()
      cache = new DomainCache(1_000_000, sequence)
      connection = await MySqlConnection.open(settingsFor(db, database), 'SET autocommit = 0')
      batch = await Batch.begin(connection, ['sports'], {
        cache,
        sequence,
        clock: new DatabaseClock(),
        writeSettings: {},
        readDomain: () => assert.fail('the domain is locked'),
        queriesOn: () =>
          new MySqlQueries({ rows: async () => [], domain: async () => undefined, domains: async () => new Map() }),
      })
    })
    afterEach(() => connection.close())

    test('are not taken for newer than a question asked since: another node may have changed them', async () => {
      const askedAt = sequence.next()
      const verdict = await batch.run((transaction) => transaction.domain('sports'))
      assert.equal(verdict.kind, 'value')
      const kept = cache.kept('sports')
      assert.ok(kept)
      assert.equal(cache.isSince(kept, kept.modified, askedAt), true)
      assert.equal(cache.isSince(kept, kept.modified + 1, askedAt), false)
    })

    test('are not changed when the locks were lost and somebody else has changed them', async () => {
      await batch.run((transaction) =>
        transaction.apply({ kind: 'putEntity', domain: 'sports', value: { name: 'mine', value: '1' } }),
      )
      // As when another node commits first, and nobody tells.
      await connection.script('ROLLBACK')
      await addReader(other, 'user.other')
      await assert.rejects(batch.write(), {
        fault: 'contention',
        message: /are not as they were when they were locked/,
      })
      await connection.script('ROLLBACK')
      const domain = await store.domain('sports')
      assert.ok(isReader(domain, 'user.other'))
      assert.equal(domain?.entities.has('mine'), false)
    })
  })

  for (const isKept of [true, false]) {
    const title = isKept ? 'a domain in memory' : 'a domain that is loaded meanwhile'
    test(`show what another server changed after an own commit whose answer is late: ${title}`, async () => {
      await using proxy = await startTcpProxy(db.port)
      const slow = openStore(db, database, { primary: { ...settingsFor(db, database), port: proxy.port } })
      await addReader(slow, 'user.before')
      await slow.domain('sports')
      const commit = { of: -1, ...Promise.withResolvers<void>() }
      const question = { isLate: isKept, ...Promise.withResolvers<void>() }
      const [isCommitted, isAnswered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      proxy.judge = (data, connection) => {
        if (commit.of < 0 && data.includes('COMMIT') && !data.includes('SELECT')) commit.of = connection
        return 'pass'
      }
      proxy.delay = (connection) => {
        if (connection === commit.of) {
          isCommitted.resolve()
          return commit.promise
        }
        if (!question.isLate || commit.of < 0) return undefined
        isAnswered.resolve()
        return question.promise
      }
      const own = addReader(slow, 'user.own')
      await isCommitted.promise
      await addReader(other, 'user.other')
      await other.transact(['sports'], (transaction) =>
        transaction.apply({ kind: 'deleteRoleMember', domain: 'sports', role: 'readers', member: 'user.own' }),
      )
      if (!isKept) {
        const loaded = await slow.domains(['sports', 'labs'])
        assert.ok(isReader(loaded.get('sports'), 'user.other'))
        question.isLate = true
      }
      const asked = slow.domain('sports')
      await isAnswered.promise
      commit.resolve()
      await own
      question.resolve()
      const domain = await asked
      assert.deepEqual([isReader(domain, 'user.own'), isReader(domain, 'user.other')], [false, true])
      assert.deepEqual((await slow.domain('sports'))?.modified, (await other.domain('sports'))?.modified)
      await slow.close()
    })
  }

  test('stay as new as they were shown when an older state, loaded at the same time, comes late', async () => {
    await using proxy = await startTcpProxy(db.port)
    const slow = openStore(db, database, { primary: { ...settingsFor(db, database), port: proxy.port } })
    const loads: number[] = []
    const [isAsked, isRead] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const [newer, older] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    proxy.judge = async (data, connection) => {
      if (data.includes('START TRANSACTION') && loads.push(connection) === 1) {
        isAsked.resolve()
        await newer.promise
      }
      return 'pass' as const
    }
    proxy.delay = (connection) => {
      if (connection !== loads[1]) return undefined
      isRead.resolve()
      return older.promise
    }
    const first = slow.domain('sports')
    await isAsked.promise
    const together = slow.domains(['sports', 'labs'])
    await isRead.promise
    await addReader(other, 'user.other')
    newer.resolve()
    await first
    const shown = await slow.domain('sports')
    assert.ok(isReader(shown, 'user.other'))
    older.resolve()
    await together
    assert.ok(isReader(shown, 'user.other'))
    assert.ok(isReader(await slow.domain('sports'), 'user.other'))
    await slow.close()
  })

  test('show what this server acknowledged, under any load', async () => {
    await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        await addReader(store, `user.r${index}`)
        assert.ok(isReader(await store.domain('sports'), `user.r${index}`))
      }),
    )
  })

  test('are asked about together when many ask', async () => {
    await store.domain('sports')
    const earlier = await status('Com_stmt_execute')
    await Promise.all(Array.from({ length: 1000 }, () => store.domain('sports')))
    const questions = (await status('Com_stmt_execute')) - earlier
    assert.ok(questions <= 3, `${questions} questions`)
  })

  test('are the same object while nothing changed, and over own changes', async () => {
    const domain = await store.domain('sports')
    assert.equal(await store.domain('sports'), domain)
    await addReader(store, 'user.new')
    assert.equal(await store.domain('sports'), domain)
    assert.ok(isReader(domain, 'user.new'))
  })

  test('keep their compiled policies when another server changes something else', async () => {
    const domain = await store.domain('sports')
    const revision = domain?.policiesRevision
    await addReader(other, 'user.new')
    const changed = await store.domain('sports')
    assert.ok(isReader(changed, 'user.new'))
    assert.deepEqual([changed === domain, changed?.policiesRevision], [true, revision])
    await other.transact(['sports'], (transaction) => {
      const value = { role: 'readers', resource: 'sports:x', action: 'fly', effect: 'ALLOW' as const }
      transaction.apply({ kind: 'putAssertion', domain: 'sports', policy: 'admin', version: '0', value })
    })
    assert.notEqual((await store.domain('sports'))?.policiesRevision, revision)
  })

  test('are not taken for one that was deleted and made again', async () => {
    const first = await store.domain('labs')
    await db.query(`DELETE FROM ${database}.domain WHERE name = 'labs'`)
    assert.equal(await store.domain('labs'), undefined)
    await db.query(`INSERT INTO ${database}.domain (name, uuid, modified) VALUES ('labs', 'new', ?)`, [
      new Date(first?.modified ?? 0),
    ])
    const second = await store.domain('labs')
    assert.deepEqual([second?.id, second?.roles.size], ['new', 0])
  })

  test('that cannot exist take no question', async () => {
    for (const name of ['', 'größe', '😀', 'a b', "x' OR '1'='1"]) {
      assert.equal(await store.domain(name), undefined)
    }
    assert.deepEqual([...(await store.domains(['nowhere', '😀', 'sports'])).keys()], ['sports'])
  })

  test('are found by many names at once', async () => {
    const names = [...Array.from({ length: 600 }, (_, index) => `none${index}`), ...(await store.domainNames())]
    const found = await store.domains(names)
    assert.equal(found.size, 24)
  })

  test('are loaded once when many miss them', async () => {
    const earlier = await status('Com_begin')
    const found = await Promise.all(Array.from({ length: 50 }, () => store.domain('sports')))
    assert.equal(new Set(found).size, 1)
    assert.equal((await status('Com_begin')) - earlier, 1)
  })

  test('are dropped from memory when there is not enough of it', async () => {
    const small = openStore(db, database, { maxCachedObjects: 200 })
    for (let round = 0; round < 2; round++) {
      for (const name of await small.domainNames()) assert.equal((await small.domain(name))?.name, name)
    }
    await small.close()
  })

  test('come from the replica when it has caught up, and else from the primary', async () => {
    const copy = await db.freshDatabase(SCHEMA)
    await db.load(copy, DATA)
    await db.query(`UPDATE ${copy}.domain SET description = 'copy', modified = modified WHERE name = 'labs'`)
    await db.query(`UPDATE ${copy}.domain SET description = 'old', modified = '2020-01-01' WHERE name = 'sports'`)
    const replicated = openStore(db, database, { replica: settingsFor(db, copy) })
    assert.equal((await replicated.domain('labs'))?.description, 'copy')
    assert.match((await replicated.domain('sports'))?.description ?? '', /^Sports/)
    await replicated.close()
    const alone = openStore(db, database, { replica: { ...settingsFor(db, copy), port: 1 } })
    assert.equal((await alone.domain('labs'))?.name, 'labs')
    await alone.close()
  })

  test('that changed are listed only when no earlier stamp is still on its way', async () => {
    const since = Date.UTC(2060, 0, 1)
    const writer = await MySqlConnection.open(settingsFor(db, database), 'SET autocommit = 0')
    const stamp = (time: number) =>
      `UPDATE ${database}.domain SET modified = '${new Date(time).toISOString().slice(0, 19)}'`
    await writer.script(`${stamp(since + 1000)} WHERE name = 'sports'`)
    await db.query(`${stamp(since + 5000)} WHERE name = 'labs'`)
    const listing = store.modifiedDomains(since)
    // The question is in the database by the time that another one, asked later, is answered.
    await store.check()
    await writer.script('COMMIT')
    assert.deepEqual(
      (await listing).map(({ name, modified }) => [name, modified - since]),
      [
        ['sports', 1000],
        ['labs', 5000],
      ],
    )
    writer.close()
  })
})
