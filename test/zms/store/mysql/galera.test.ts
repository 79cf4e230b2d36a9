import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import type { MySqlStore } from '#zms/store/mysql/mysql-store.ts'
import { findGalera, startGaleraNode } from '../../../support/galera.ts'
import type { MariaDb } from '../../../support/mariadb.ts'
import { openStore, settingsFor } from '../../../support/mysql-store.ts'
import { addReader, readersOf } from '../../../support/sports-readers.ts'
import { startTcpProxy, type Verdict } from '../../../support/tcp-proxy.ts'

const SCHEMA = join(import.meta.dirname, '../../../../schema/zms_server.sql')
const DATA = join(import.meta.dirname, '../../../database/original-data.sql')

const provider = await findGalera()

const removeReader = (store: MySqlStore, member: string, onRun = () => {}) =>
  store.transact(['sports'], (transaction) => {
    onRun()
    transaction.apply({ kind: 'deleteRoleMember', domain: 'sports', role: 'readers', member })
  })

describe('a MySQL store on a node of a Galera cluster', {
  skip: provider === undefined && 'there is no Galera',
}, () => {
  let db: MariaDb
  let database: string

  before(async () => {
    db = await startGaleraNode(provider ?? '')
  })
  after(() => db.stop())
  beforeEach(async () => {
    database = await db.freshDatabase(SCHEMA)
    await db.load(database, DATA)
  })

  test('answers 503 while the node is no member of the cluster, and goes on when it is', async () => {
    const store = openStore(db, database)
    await addReader(store, 'user.before')
    await db.query("SET GLOBAL wsrep_reject_queries = 'ALL'")
    try {
      const unavailable = { status: 503, message: 'Database is not available' }
      await assert.rejects(store.domain('sports'), unavailable)
      await assert.rejects(addReader(store, 'user.meanwhile'), unavailable)
    } finally {
      await db.query("SET GLOBAL wsrep_reject_queries = 'NONE'")
    }
    await addReader(store, 'user.after')
    const found = await readersOf(store)
    assert.deepEqual(
      ['user.before', 'user.meanwhile', 'user.after'].map((member) => found.has(member)),
      [true, false, true],
    )
    await store.close()
  })

  test('does not take the stamp for a proof that an unanswered COMMIT happened', async () => {
    await using proxy = await startTcpProxy(db.port)
    const store = openStore(db, database, { primary: { ...settingsFor(db, database), port: proxy.port } })
    await addReader(store, 'user.before')
    let isCut = false
    proxy.judge = (data): Verdict => {
      if (isCut || !data.includes('COMMIT') || data.includes('SELECT')) return 'pass'
      isCut = true
      return 'cut-after'
    }
    await assert.rejects(addReader(store, 'user.mine'), { status: 409, detail: /another node may have given the same/ })
    assert.ok((await readersOf(store)).has('user.mine'))
    await store.close()
  })

  test('does not repeat a transaction whose COMMIT arrived after it was found not to have happened', async () => {
    await using proxy = await startTcpProxy(db.port)
    const store = openStore(db, database, { primary: { ...settingsFor(db, database), port: proxy.port } })
    const other = openStore(db, database)
    await addReader(store, 'user.before')
    await removeReader(store, 'user.before')
    let phase: 'before' | 'settling' | 'repeating' | 'over' = 'before'
    proxy.judge = async (data): Promise<Verdict> => {
      if (phase === 'before' && data.includes('COMMIT') && !data.includes('SELECT')) {
        phase = 'settling'
        return 'cut-before'
      }
      if (phase === 'settling' && data.includes('ROLLBACK')) phase = 'repeating'
      else if (phase === 'repeating') {
        phase = 'over'
        // As if the commit had been on its way to the other nodes.
        await addReader(other, 'user.late')
      }
      return 'pass'
    }
    let runs = 0
    const change = removeReader(store, 'user.late', () => runs++)
    await assert.rejects(change, { status: 409, detail: /changed since$/ })
    assert.equal(runs, 1)
    assert.ok((await readersOf(other)).has('user.late'))
    await Promise.all([store.close(), other.close()])
  })

  test('does a transaction again whose statements were prepared meanwhile: a node says nothing when it takes it back then', async () => {
    const store = openStore(db, database)
    const runs = { first: 0, second: 0 }
    await addReader(store, 'user.one')
    await removeReader(store, 'user.one', () => runs.first++)
    await addReader(store, 'user.one')
    await removeReader(store, 'user.one', () => runs.second++)
    assert.deepEqual(runs, { first: 2, second: 1 })
    assert.equal((await readersOf(store)).has('user.one'), false)
    await store.close()
  })

  test('leaves a domain that is only locked as it is', async () => {
    const store = openStore(db, database)
    const stamp = (await store.domain('labs'))?.modified
    await store.transact(['labs', 'sports'], (transaction) => {
      const value = { memberName: 'user.both' }
      transaction.apply({ kind: 'putRoleMember', domain: 'sports', role: 'readers', value })
    })
    assert.equal((await store.domain('labs'))?.modified, stamp)
    assert.ok((await readersOf(store)).has('user.both'))
    await store.close()
  })
})
