import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type DevServers, startDevServers } from '../support/dev-servers.ts'
import { type MariaDb, startMariaDb } from '../support/mariadb.ts'
import { runProgram } from '../support/program.ts'
import { describeTables, originalTables } from '../support/table-facts.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { originalShapes, strangeValues } from './original-shapes.ts'

const SCHEMA = join(import.meta.dirname, '../../schema/zms_server.sql')
const ORIGINAL_ROWS = join(import.meta.dirname, '../database/original-data.sql')
const SCENARIOS = join(import.meta.dirname, 'zms')

const meta = (contact: string) => ({
  as: 'user.admin',
  method: 'PUT',
  path: '/zms/v1/domain/{{dom}}/meta',
  body: { contacts: { 'product-owner': contact } },
  expect: { status: 204, headers: {} },
})
/** What the recordings leave out, because contacts have to be configured. */
const CONTACTS = {
  name: 'contacts',
  server: 'zms',
  vars: { dom: 'conf{{run}}' },
  steps: [
    {
      id: 'create-domain',
      as: 'user.admin',
      method: 'POST',
      path: '/zms/v1/domain',
      body: { name: '{{dom}}', adminUsers: ['user.admin'] },
      expect: { status: 200 },
    },
    { id: 'set', ...meta('user.alice') },
    { id: 'change', ...meta('user.bob') },
  ],
}

describe('a database of the original that this server worked on', () => {
  let db: MariaDb
  let database: string
  let original: string
  let record: string
  const folder = temporaryFolder()

  const filled = async () => {
    const name = await db.freshDatabase(SCHEMA)
    await db.load(name, ORIGINAL_ROWS)
    return name
  }
  const workOn = async ({ summary }: DevServers) =>
    runProgram(process.execPath, [
      join(import.meta.dirname, 'run.mjs'),
      '--zms',
      new URL(summary.zms ?? '').origin,
      '--ca',
      summary.clientCa,
      '--ca-key',
      summary.clientCaKey,
      '--server-ca',
      summary.ca,
      ...readdirSync(SCENARIOS).map((name) => join(SCENARIOS, name)),
      join(folder, 'contacts.json'),
    ])

  /** Has every state of every row that was ever written in a database, because most objects are deleted in the end. */
  const recordOf = async (name: string) => {
    const copy = `${name}_record`
    await db.query(`CREATE DATABASE ${copy}`)
    for (const [table, { columns }] of Object.entries(await originalTables('zms'))) {
      await db.query(`CREATE TABLE ${copy}.\`${table}\` SELECT * FROM ${name}.\`${table}\` WHERE FALSE`)
      const [names, values] = ['', 'NEW.'].map((prefix) =>
        columns.map((column) => `${prefix}\`${column.name}\``).join(),
      )
      for (const event of ['INSERT', 'UPDATE']) {
        await db.query(
          `CREATE TRIGGER ${name}.record_${table}_${event} AFTER ${event} ON ${name}.\`${table}\` FOR EACH ROW
           INSERT INTO ${copy}.\`${table}\` (${names}) VALUES (${values})`,
        )
      }
    }
    return copy
  }

  before(async () => {
    db = await startMariaDb()
    ;[database, original] = [await filled(), await filled()]
    record = await recordOf(database)
    await writeFile(join(folder, 'contacts.json'), JSON.stringify(CONTACTS))
    await using servers = await startDevServers({
      dir: join(folder, 'servers'),
      zts: false,
      mysqlUrl: db.url(database),
      settings: { 'athenz.zms.domain_contact_types': 'product-owner' },
    })
    const { stdout } = await workOn(servers)
    const answers = /(\d+) passed, (\d+) failed\s*$/.exec(stdout)
    assert.ok(Number(answers?.[1]) > 1500, stdout)
    // The original's server is registered with its own key, so those of this one are not known.
    const failures = stdout.split('\n').filter((line) => line.startsWith('FAIL') && !line.includes('signature invalid'))
    assert.deepEqual(failures, [])
  })
  after(() => db.stop())

  test('has the tables that it had', async () => {
    assert.deepEqual(await describeTables(db, database), await describeTables(db, original))
  })

  test('had values as the original writes them at any time, in every column', async () => {
    const shapes = await originalShapes(db, original)
    assert.deepEqual(await strangeValues(db, original, shapes), [])
    const untouched: string[] = []
    for (const table of Object.keys(await originalTables('zms'))) {
      const [count] = await db.query<{ n: number }>(`SELECT COUNT(*) AS n FROM ${record}.\`${table}\``)
      if (count?.n === 0) untouched.push(table)
    }
    assert.deepEqual(untouched, [])
    assert.deepEqual(await strangeValues(db, record, shapes), [])
  })

  test('would be found to have others', async () => {
    const shapes = await originalShapes(db, original)
    await db.query(`USE ${original};
      UPDATE assertion SET effect = 'Allow' LIMIT 1;
      UPDATE domain SET uuid = '' WHERE name = 'sports';
      UPDATE role SET name = 'Admin' WHERE name = 'admin' LIMIT 1;
      UPDATE principal SET system_suspended = 1 LIMIT 1`)
    assert.deepEqual(await strangeValues(db, original, shapes), [
      'domain.uuid: "" is empty',
      'principal.system_suspended: 1 is nothing the original writes',
      'role.name: "Admin" is no local name',
      'assertion.effect: "Allow" is nothing the original writes',
    ])
  })
})
