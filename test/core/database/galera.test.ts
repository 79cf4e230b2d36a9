import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { parseJdbcUrl } from '#core/config/jdbc-url.ts'
import { databaseSettings } from '#core/database/database-settings.ts'
import { MySqlConnection } from '#core/database/mysql-connection.ts'
import { findGalera, startGaleraNode } from '../../support/galera.ts'
import type { MariaDb } from '../../support/mariadb.ts'

const provider = await findGalera()

describe('connections to nodes of a cluster', { skip: provider === undefined && 'there is no Galera' }, () => {
  let first: MariaDb
  let second: MariaDb

  before(async () => {
    ;[first, second] = await Promise.all([startGaleraNode(provider ?? ''), startGaleraNode(provider ?? '')])
  })
  after(() => Promise.all([first.stop(), second.stop()]))

  const open = () => {
    const parsed = parseJdbcUrl(`jdbc:mysql://127.0.0.1:${first.port},127.0.0.1:${second.port}/mysql`)
    assert.ok(parsed.ok)
    const access = { user: 'root', password: undefined, tls: false, statementTimeoutMillis: 10_000 } as const
    return MySqlConnection.open(databaseSettings(parsed.url, access))
  }
  const usedPort = async () => {
    const connection = await open()
    const [row] = await connection.rows<{ port: number }>('SELECT @@port AS port')
    connection.close()
    return row?.port
  }

  test('read what any node has committed', async () => {
    const connection = await open()
    assert.equal(connection.isOfCluster, true)
    const [row] = await connection.rows<object>('SELECT @@wsrep_sync_wait AS sync, @@wsrep_dirty_reads AS dirty')
    assert.deepEqual({ ...row }, { sync: 7, dirty: 0 })
    connection.close()
  })

  test('are made to the first node that keeps up with the cluster, and if there is none, to the first', async () => {
    assert.equal(await usedPort(), first.port)
    await first.query('SET GLOBAL wsrep_desync = ON')
    assert.equal(await usedPort(), second.port)
    await second.query('SET GLOBAL wsrep_desync = ON')
    assert.equal(await usedPort(), first.port)
    for (const node of [first, second]) await node.query('SET GLOBAL wsrep_desync = OFF')
  })
})
