import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { PROJECT_FOLDER } from '../../architecture/sources.ts'
import { DATES, turnBack } from '../../core/database/migration/older-schemas.ts'
import { type MariaDb, startMariaDb } from '../../support/mariadb.ts'
import { runProgram } from '../../support/program.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const ATHENZ = join(PROJECT_FOLDER, 'bin', 'athenz')
const SCHEMA = join(PROJECT_FOLDER, 'schema', 'zms_server.sql')
/** So much the clock is behind for one of the users. */
const SLOW_SECONDS = 120

interface Finding {
  readonly check: string
  readonly ok: boolean
  readonly found: string
  readonly advice?: string
}

describe('athenz doctor and a database', () => {
  let db: MariaDb
  let database: string

  before(async () => {
    const setClock = `SET timestamp = IF(CURRENT_USER() LIKE 'slow@%', UNIX_TIMESTAMP() - ${SLOW_SECONDS}, 0)`
    db = await startMariaDb({ args: [`--init-connect=${setClock}`] })
    database = await db.freshDatabase(SCHEMA)
    for (const user of ['zms', 'slow', 'nobody']) {
      await db.query(`CREATE USER '${user}'@'%' IDENTIFIED BY 's3cret'`)
      if (user !== 'nobody') await db.query(`GRANT ALL ON \`%\`.* TO '${user}'@'%'`)
    }
  })
  after(() => db.stop())

  /** What it finds of the database that the properties name. */
  async function examined(name: string, { user = 'zms', password = 's3cret', port = db.port } = {}) {
    const root = temporaryFolder()
    const folder = join(root, 'conf', 'zms_server')
    mkdirSync(folder, { recursive: true })
    const lines = [
      'athenz.zms.object_store_factory_class=com.yahoo.athenz.zms.store.impl.JDBCObjectStoreFactory',
      `athenz.zms.jdbc_store=jdbc:mysql://127.0.0.1:${port}/${name}`,
      `athenz.zms.jdbc_user=${user}`,
      `athenz.zms.jdbc_password=${password}`,
    ]
    writeFileSync(join(folder, 'zms.properties'), lines.join('\n'))
    writeFileSync(join(folder, 'athenz.properties'), 'athenz.tls_port=4443\n')
    const env = { PATH: process.env['PATH'], HOME: root }
    const { stdout, stderr, status } = await runProgram(ATHENZ, ['doctor', '--root', root, '-o', 'json'], { env })
    assert.ok(!`${stdout}${stderr}`.includes('s3cret'), 'the password is shown')
    const findings = JSON.parse(stdout) as Finding[]
    assert.equal(status, findings.every(({ ok }) => ok) ? 0 : 6)
    const place = `database ${name} at 127.0.0.1:${port}`
    const found = findings.slice(1)
    assert.ok(
      found.every(({ check }) => check.endsWith(place)),
      stdout,
    )
    return found.map(({ check, ...rest }) => ({ what: check.slice(0, -place.length).trim(), ...rest }))
  }

  test('that is as it should be', async () => {
    assert.deepEqual(await examined(database), [
      { what: '', ok: true, found: 'lets zms in' },
      { what: 'clock of', ok: true, found: '0 s from the one here' },
      { what: 'tables of', ok: true, found: 'those of ZMS as they are now' },
    ])
  })

  test('that is not there: which machine and port to look at', async () => {
    const [finding, ...more] = await examined(database, { port: 1 })
    assert.deepEqual(more, [])
    assert.equal(finding?.ok, false)
    assert.match(finding?.found ?? '', /cannot connect: .*ECONNREFUSED/)
    assert.equal(finding?.advice, 'see that the database runs, and that port 1 of 127.0.0.1 is open from here')
  })

  test('with another password: whose to correct', async () => {
    const [finding, ...more] = await examined(database, { password: 'guess' })
    assert.deepEqual(more, [])
    assert.equal(finding?.ok, false)
    assert.match(finding?.found ?? '', /Access denied for user 'zms'@.*code: 1045/)
    assert.match(finding?.advice ?? '', /…jdbc_user, …jdbc_password\) are those of zms in the database$/)
  })

  test('that lets its user do nothing: what to grant', async () => {
    const [finding] = await examined(database, { user: 'nobody' })
    assert.match(finding?.found ?? '', /Access denied for user 'nobody'@'%' to database '\w+', .*code: 1044/)
    assert.match(finding?.advice ?? '', new RegExp(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${database}\\.\\*`))
  })

  test('that was never made: with which file', async () => {
    const [finding, ...more] = await examined('absent')
    assert.deepEqual(more, [])
    assert.match(finding?.found ?? '', /Unknown database 'absent'.*code: 1049/)
    assert.match(finding?.advice ?? '', /mysql < schema\/zms_server\.sql/)
  })

  test('without tables, or without one of them', async () => {
    await db.query('CREATE DATABASE empty')
    const [reached, , tables] = await examined('empty')
    assert.equal(reached?.ok, true)
    assert.deepEqual([tables?.what, tables?.ok], ['tables of', false])
    assert.match(tables?.found ?? '', /has no tables of Athenz: a new one is made with schema\/zms_server\.sql/)
    assert.match(tables?.advice ?? '', /make new ones with the schema file/)

    const torn = await db.freshDatabase(SCHEMA)
    await db.query(`SET FOREIGN_KEY_CHECKS=0; DROP TABLE \`${torn}\`.assertion`)
    const [, , lacking] = await examined(torn)
    assert.equal(lacking?.ok, false)
    assert.match(lacking?.found ?? '', /it lacks assertion$/)
  })

  test('with tables of an older version: the command that brings them up to date, which helps', async () => {
    const older = await db.freshDatabase(SCHEMA)
    await turnBack(db, older, 'zms', DATES.zms[0] ?? '')
    const [, , tables] = await examined(older)
    assert.match(tables?.found ?? '', /^they lack \d+ changes of ZMS$/)
    assert.match(tables?.advice ?? '', /^athenz migrate/)
    assert.equal((await runProgram(ATHENZ, ['migrate', '--mysql-url', db.url(older)])).status, 0)
    assert.equal((await examined(older)).at(-1)?.ok, true)
  })

  test('whose clock is wrong', async () => {
    const [reached, clock, tables] = await examined(database, { user: 'slow' })
    assert.deepEqual([reached?.ok, tables?.ok], [true, true])
    assert.deepEqual([clock?.what, clock?.ok], ['clock of', false])
    const [, seconds = ''] = /^(-\d+) s from the one here$/.exec(clock?.found ?? '') ?? []
    assert.ok(Math.abs(Number(seconds) + SLOW_SECONDS) <= 2, clock?.found)
    assert.match(clock?.advice ?? '', /NTP/)
  })
})
