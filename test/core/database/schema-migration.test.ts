import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { migrateSchema } from '#core/database/schema-migration.ts'
import { type MariaDb, startMariaDb } from '../../support/mariadb.ts'
import { settingsFor } from '../../support/mysql-store.ts'

const SCHEMA = join(import.meta.dirname, '../../../schema/zms_server.sql')

describe('schema migration', () => {
  let db: MariaDb
  let database: string
  let directory: string
  let lines: string[]

  before(async () => {
    db = await startMariaDb()
  })
  after(() => db.stop())
  beforeEach(async () => {
    database = await db.freshDatabase(SCHEMA)
    directory = await mkdtemp(join(tmpdir(), 'athenz-updates-'))
    lines = []
  })
  afterEach(() => rm(directory, { recursive: true }))

  const update = (date: string, sql: string) => writeFile(join(directory, `update-${date}.sql`), sql)
  const migrate = () =>
    migrateSchema({
      settings: settingsFor(db, database),
      directory,
      server: 'zms',
      log: (_level, message) => lines.push(message),
    })
  const versions = () =>
    db.query<{ version: string; script: string; success: number }>(
      `SELECT version, script, success FROM ${database}.schema_version ORDER BY version`,
    )

  test('runs the files in the order of their dates, each once', async () => {
    await update('20270102', 'INSERT INTO later (n) VALUES (2)')
    await update('20270101', '-- first;\nCREATE TABLE later (n INT); INSERT INTO later (n) VALUES (1);')
    await writeFile(join(directory, 'notes.txt'), 'nothing')
    await writeFile(join(directory, 'update-2027.sql'), 'nothing either')
    await migrate()
    await migrate()
    assert.deepEqual(await db.query(`SELECT n FROM ${database}.later ORDER BY n`), [{ n: 1 }, { n: 2 }])
    assert.deepEqual(await versions(), [
      { version: '20270101', script: 'update-20270101.sql', success: 1 },
      { version: '20270102', script: 'update-20270102.sql', success: 1 },
    ])
  })

  test('passes over what is done already', async () => {
    await update(
      '20270101',
      `CREATE TABLE role (n INT);
       ALTER TABLE role ADD COLUMN trust VARCHAR(1);
       ALTER TABLE domain ADD INDEX idx_account (account);
       ALTER TABLE role ADD COLUMN brand_new INT`,
    )
    await migrate()
    assert.deepEqual(await db.query(`SELECT brand_new FROM ${database}.role`), [])
    assert.equal(lines.filter((line) => line.includes('done before')).length, 3)
  })

  test('stops at a failure, says where, and tries again the next time', async () => {
    await update('20270101', 'ALTER TABLE nothing ADD COLUMN a INT')
    await update('20270102', 'CREATE TABLE later (n INT)')
    await assert.rejects(migrate(), /update-20270101\.sql failed: .*nothing.*ALTER TABLE nothing/)
    assert.deepEqual(await versions(), [{ version: '20270101', script: 'update-20270101.sql', success: 0 }])
    await update('20270101', 'CREATE TABLE nothing (a INT)')
    await migrate()
    assert.deepEqual(
      (await versions()).map(({ success }) => success),
      [1, 1],
    )
  })

  test('is done by one of several servers that start together', async () => {
    await update('20270101', 'CREATE TABLE counted (n INT); INSERT INTO counted VALUES (1)')
    await Promise.all([migrate(), migrate(), migrate()])
    assert.equal((await db.query(`SELECT n FROM ${database}.counted`)).length, 1)
  })
})
