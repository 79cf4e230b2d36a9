import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { DatabaseHosts } from '#core/database/database-hosts.ts'
import { type MariaDb, startMariaDb } from '../../../support/mariadb.ts'
import { openStore, settingsFor } from '../../../support/mysql-store.ts'
import { addReader, readersOf } from '../../../support/sports-readers.ts'
import { startTcpProxy } from '../../../support/tcp-proxy.ts'

const SCHEMA = join(import.meta.dirname, '../../../../schema/zms_server.sql')
const DATA = join(import.meta.dirname, '../../../database/original-data.sql')

describe('a MySQL store whose database goes over to another server', () => {
  let first: MariaDb
  let second: MariaDb
  let database: string

  before(async () => {
    ;[first, second] = await Promise.all([startMariaDb(), startMariaDb()])
    database = await first.freshDatabase(SCHEMA)
    await second.query(`CREATE DATABASE ${database}`)
    const folder = await mkdtemp(join(tmpdir(), 'athenz-failover-'))
    const tables = join(folder, 'tables.sql')
    await writeFile(tables, (await readFile(SCHEMA, 'utf8')).replaceAll(/^(CREATE DATABASE|USE) .*;$/gm, ''))
    await second.load(database, tables)
    await rm(folder, { recursive: true })
    for (const server of [first, second]) {
      await server.load(database, DATA)
      // The user root may always write.
      await server.query(`CREATE USER 'zms'@'%' IDENTIFIED BY 'secret'`)
      await server.query(`GRANT ALL PRIVILEGES ON ${database}.* TO 'zms'@'%'`)
    }
  })
  after(() => Promise.all([first.stop(), second.stop()]))

  const user = { user: 'zms', password: 'secret' }

  /** Settings that name both servers, or the one address that they have. */
  const bothAt = (port: number | undefined) => {
    const hosts = new DatabaseHosts([first, second].map((server) => ({ host: server.host, port: server.port })))
    return { ...settingsFor(first, database), ...(port === undefined ? { hosts } : { port }), ...user }
  }

  for (const isNamed of [true, false]) {
    const title = isNamed ? 'both are named' : 'they have one address'
    test(`reads what it wrote there, and nothing from the former one, which takes no writes any more: ${title}`, async () => {
      await using proxy = await startTcpProxy(first.port)
      const primary = bothAt(isNamed ? undefined : proxy.port)
      const store = openStore(first, database, { primary })
      const [earlier, later] = [`user.before-${isNamed}`, `user.after-${isNamed}`]
      await addReader(store, earlier)
      await Promise.all([store.domain('sports'), store.domains(['sports', 'labs']), store.domainNames()])
      await first.query('SET GLOBAL read_only = ON')
      try {
        proxy.targetPort = second.port
        await addReader(store, later)
        const found = await readersOf(store)
        assert.deepEqual([found.has(earlier), found.has(later)], [false, true])
        const together = await store.domains(['sports', 'labs'])
        assert.ok(together.get('sports')?.roles.get('readers')?.members.has(later))
        const name = `only-${isNamed}`
        await second.query(`INSERT INTO ${database}.domain (name, uuid) VALUES (?, ?)`, [name, name])
        assert.ok((await store.domainNames()).includes(name))
      } finally {
        await first.query('SET GLOBAL read_only = OFF')
        await store.close()
      }
    })
  }

  for (const isNamed of [true, false]) {
    test(`is noticed by who only reads: ${isNamed ? 'both are named' : 'they have one address'}`, async () => {
      await using proxy = await startTcpProxy(first.port)
      const primary = bothAt(isNamed ? undefined : proxy.port)
      const [store, other] = [openStore(first, database, { primary }), openStore(second, database)]
      const [byRow, byName] = [`user.row-${isNamed}`, `user.name-${isNamed}`]
      await Promise.all([store.domain('sports'), store.domains(['sports', 'labs'])])
      await first.query('SET GLOBAL read_only = ON')
      try {
        proxy.targetPort = second.port
        await addReader(other, byRow)
        assert.ok((await readersOf(store)).has(byRow))
        await addReader(other, byName)
        const { roles } = (await store.domains(['sports', 'labs'])).get('sports') ?? {}
        assert.ok(roles?.get('readers')?.members.has(byName))
      } finally {
        await first.query('SET GLOBAL read_only = OFF')
        await Promise.all([store.close(), other.close()])
      }
    })
  }

  test('a server that takes no writes, and in whose place there is no other, goes on to answer who reads', async () => {
    const store = openStore(first, database, {
      primary: { ...settingsFor(first, database), ...user },
    })
    await store.domain('sports')
    await first.query('SET GLOBAL read_only = ON')
    try {
      for (let time = 0; time < 2; time++) assert.equal((await store.domain('sports'))?.name, 'sports')
      assert.equal((await store.domains(['sports', 'labs'])).size, 2)
    } finally {
      await first.query('SET GLOBAL read_only = OFF')
      await store.close()
    }
  })
})
