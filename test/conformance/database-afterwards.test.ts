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
const TEMPLATES = join(import.meta.dirname, '../../conf/zms_server/further_templates.json')
const SCENARIOS = join(import.meta.dirname, 'zms')

const asAdmin = (method: string, path: string, body?: object, headers?: object) => ({
  id: `${method} ${path}`,
  as: 'user.admin',
  method,
  path: `/zms/v1/domain${path}`,
  ...(body && { body }),
  ...(headers && { headers }),
  expect: { status: method === 'POST' ? 200 : 204 },
})
const scenarioOf = (name: string, ...steps: object[]) => ({
  name,
  server: 'zms',
  vars: { dom: 'conf{{run}}' },
  steps: [asAdmin('POST', '', { name: '{{dom}}', adminUsers: ['user.admin'] }), ...steps],
})

/** What the recordings leave out, because contacts have to be configured. */
const CONTACTS = scenarioOf(
  'contacts',
  ...['user.alice', 'user.bob'].map((contact) =>
    asAdmin('PUT', '/{{dom}}/meta', { contacts: { 'product-owner': contact } }),
  ),
)

/** Knows attributes of users. */
const USER_AUTHORITY = `export default class {
  id = 'Auth-ATTRIBUTES'; credentialSource = 'header'; header = 'X-Attributes'; allowAuthorization = false
  authenticateHeader() { return null }
  booleanAttributes() { return new Set(['employee']) }
  dateAttributes() { return new Set(['until']) }
  isAttributeSet() { return true }
  dateAttribute() { return ${Date.UTC(2040, 0, 1)} }
}`
const ATTRIBUTES = { userAuthorityFilter: 'employee', userAuthorityExpiration: 'until' }
const members = (...names: string[]) => names.map((memberName) => ({ memberName }))

/** What needs a user authority, a secret or templates, and what fills columns that the recordings do not come to. */
const REST = scenarioOf(
  'rest',
  asAdmin('PUT', '/{{dom}}/role/r', { name: 'r', principalDomainFilter: 'user', ...ATTRIBUTES }),
  asAdmin('PUT', '/{{dom}}/group/g', { name: 'g', principalDomainFilter: 'user', ...ATTRIBUTES }),
  asAdmin('PUT', '/{{dom}}/meta/system/userauthorityfilter', { userAuthorityFilter: 'employee' }),
  // Policies have a description from templates only.
  asAdmin('PUT', '/{{dom}}/template', { templateNames: ['auditors'] }),
  asAdmin('PUT', '/{{dom}}/service/api', { name: '{{dom}}.api' }),
  asAdmin('PUT', '/{{dom}}/service/api/creds', { name: '{{dom}}.api', value: '0123456789abcdef0123456789abcdef' }),
  asAdmin('PUT', '/{{dom}}/group/pending', { name: 'pending', reviewEnabled: true }),
  asAdmin('PUT', '/{{dom}}/group/pending/member/user.alice', { memberName: 'user.alice' }, { 'Y-Audit-Ref': 'reason' }),
  asAdmin('PUT', '/{{dom}}/role/leaving', { name: 'leaving', roleMembers: members('user.alice') }),
  asAdmin('PUT', '/{{dom}}/role/leaving/meta', { reviewEnabled: true, deleteProtection: true }),
  asAdmin('DELETE', '/{{dom}}/role/leaving/member/user.alice'),
)

/** Columns that had nothing but their first value: what is stored is always active, and nobody was notified. */
const INITIAL_COLUMNS = [
  'role_member.active',
  'role_member.last_notified_time',
  'role_member.server',
  'role_member.review_last_notified_time',
  'role_member.review_server',
  'pending_role_member.server',
  'principal_group_member.active',
  'principal_group_member.last_notified_time',
  'principal_group_member.server',
  'pending_principal_group_member.server',
]

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
  const workOn = async ({ summary }: DevServers, ...scenarios: string[]) => {
    const { stdout } = await runProgram(process.execPath, [
      join(import.meta.dirname, 'run.mjs'),
      '--zms',
      new URL(summary.zms ?? '').origin,
      '--ca',
      summary.clientCa,
      '--ca-key',
      summary.clientCaKey,
      '--server-ca',
      summary.ca,
      ...scenarios,
    ])
    // The original's server is registered with its own key, so those of this one are not known.
    const failures = stdout.split('\n').filter((line) => line.startsWith('FAIL') && !line.includes('signature invalid'))
    assert.deepEqual(failures, [])
    return Number(/(\d+) passed, \d+ failed\s*$/.exec(stdout)?.[1])
  }
  const writeScenario = async (scenario: { name: string }) => {
    const file = join(folder, `${scenario.name}.json`)
    await writeFile(file, JSON.stringify(scenario))
    return file
  }

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
    const start = (settings: Readonly<Record<string, string>>) =>
      startDevServers({ dir: join(folder, 'servers'), zts: false, mysqlUrl: db.url(database), settings })
    {
      await using servers = await start({ 'athenz.zms.domain_contact_types': 'product-owner' })
      const recorded = readdirSync(SCENARIOS).map((name) => join(SCENARIOS, name))
      const passed = await workOn(servers, ...recorded, await writeScenario(CONTACTS))
      assert.ok(passed > 1500, String(passed))
    }
    const module = join(folder, 'user-authority.mjs')
    await writeFile(module, USER_AUTHORITY)
    await using servers = await start({
      'athenz.zms.authority_classes': `com.yahoo.athenz.auth.impl.CertificateAuthority,${module}`,
      'athenz.zms.user_authority_class': module,
      'athenz.zms.principal_authority_class': '',
      'athenz.ts.further_templates_fname': TEMPLATES,
      'athenz.zms.svc_creds_key_name': 'fedcba9876543210fedcba9876543210',
    })
    assert.equal(await workOn(servers, await writeScenario(REST)), REST.steps.length)
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

  test('had more than the first value in every column but a few', async () => {
    const initial: string[] = []
    for (const [table, { columns }] of Object.entries(await originalTables('zms'))) {
      for (const { name, default: byDefault } of columns) {
        const [found] = await db.query<{ n: number }>(
          `SELECT COUNT(*) AS n FROM ${record}.\`${table}\`
           WHERE \`${name}\` IS NOT NULL AND CAST(\`${name}\` AS CHAR) NOT IN ('', ?)`,
          [String(byDefault ?? '')],
        )
        if (found?.n === 0) initial.push(`${table}.${name}`)
      }
    }
    assert.deepEqual(initial, INITIAL_COLUMNS)
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
