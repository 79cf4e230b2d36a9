import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { type MariaDb, startMariaDb } from '../support/mariadb.ts'
import { arranged, describeTables, originalTables, type Table } from '../support/table-facts.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')
const facts = join(root, 'test/database')
const schemas = {
  zms: { file: join(root, 'schema/zms_server.sql'), database: 'zms_server', rows: 'original-data.sql' },
  zts: { file: join(root, 'schema/zts_server.sql'), database: 'zts_store', rows: 'original-zts-data.sql' },
} as const

describe('database schema', () => {
  let db: MariaDb
  before(async () => {
    db = await startMariaDb()
  })
  after(() => db.stop())

  for (const [server, { file, database, rows }] of Object.entries(schemas)) {
    describe(`of ${server}`, () => {
      test('the mysql client creates the database from the file, and loading it again keeps the rows', async () => {
        const client = ['--no-defaults', '-u', 'root', `--socket=${db.socket}`]
        const load = () => run('sh', ['-c', 'file=$1; shift; exec mysql "$@" < "$file"', 'load', file, ...client])
        await load()
        await db.load(database, join(facts, rows))
        const count = () =>
          db.query(`SELECT COUNT(*) AS n FROM ${database}.${server === 'zms' ? 'domain' : 'workloads'}`)
        const loaded = await count()
        await load()
        assert.deepEqual(await count(), loaded)
        assert.notEqual(loaded[0]?.['n'], 0)
      })

      test('every table has the columns, keys and rules of the original', async () => {
        const expected = await originalTables(server as 'zms' | 'zts')
        const actual = await describeTables(db, await db.freshDatabase(file))
        assert.deepEqual([...actual.keys()].sort(), Object.keys(expected).sort())
        for (const [name, table] of Object.entries(expected)) {
          assert.deepEqual(arranged(actual.get(name) as Table), arranged(table), name)
        }
      })
    })
  }

  describe('comparison of texts', () => {
    let database: string
    before(async () => {
      database = await db.freshDatabase(schemas.zms.file)
      await db.load(database, join(facts, 'original-data.sql'))
    })
    const names = (sql: string, ...values: string[]) =>
      db.query<{ name: string }>(sql.replace('{db}', database), values).then((found) => found.map((row) => row.name))

    test('names are found in any letter case', async () => {
      assert.deepEqual(await names('SELECT name FROM {db}.domain WHERE name = ?', 'SPORTS'), ['sports'])
    })

    test('a name that differs in letter case only is a duplicate', async () => {
      await assert.rejects(db.query(`INSERT INTO ${database}.domain (name) VALUES ('Sports')`), { errno: 1062 })
    })

    test('tag keys are compared exactly, tag values are not', async () => {
      const query = 'SELECT DISTINCT `key` AS name FROM {db}.domain_tags WHERE `key` = ? AND value = ?'
      assert.deepEqual(await names(query, 'Tier', 'GOLD'), ['Tier'])
      assert.deepEqual(await names(query, 'tier', 'gold'), [])
    })

    test('a deleted domain takes its roles, policies and services with it', async () => {
      await db.query(`DELETE FROM ${database}.domain WHERE name = 'sports'`)
      for (const table of ['role', 'policy', 'service', 'entity', 'principal_group', 'domain_tags']) {
        const left = await db.query(
          `SELECT 1 FROM ${database}.${table} WHERE domain_id NOT IN (SELECT domain_id FROM ${database}.domain)`,
        )
        assert.deepEqual(left, [], table)
      }
    })
  })
})
