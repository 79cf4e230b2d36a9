import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { DATES, turnBack } from '../core/database/migration/older-schemas.ts'
import { type MariaDb, startMariaDb } from '../support/mariadb.ts'
import { runProgram, startProgram } from '../support/program.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const root = join(import.meta.dirname, '../..')
const ATHENZ = join(root, 'bin/athenz')

describe('athenz migrate', () => {
  const folder = temporaryFolder()
  let db: MariaDb
  before(async () => {
    db = await startMariaDb()
  })
  after(() => db.stop())

  const olderDatabase = async (server: 'zms' | 'zts') => {
    const database = await db.freshDatabase(join(root, `schema/${server}_server.sql`))
    await turnBack(db, database, server, DATES[server][0] ?? '')
    return database
  }
  const migrate = (...args: string[]) => runProgram(ATHENZ, ['migrate', ...args])

  test('prints the SQL of a dry run, which the mysql client takes', async () => {
    const database = await olderDatabase('zms')
    const dry = await migrate('--mysql-url', db.url(database), '--dry-run')
    assert.equal(dry.status, 0, dry.stderr)
    assert.match(dry.stdout, /^-- database .*\n-- 20190107: DNS domain of certificates\nALTER TABLE `domain`\n/)
    await writeFile(join(folder, 'update.sql'), dry.stdout)
    const client = await runProgram('sh', [
      '-c',
      'exec mysql --no-defaults -u root --socket="$1" "$2" < "$3"',
      'mysql',
      db.socket,
      database,
      join(folder, 'update.sql'),
    ])
    assert.equal(client.status, 0, client.stderr)
    const done = await migrate('--mysql-url', db.url(database))
    assert.match(done.stdout, /: the ZMS schema is up to date \(\d+ changes\)\n$/)
  })

  test('brings the databases of both configured servers up to date', async () => {
    const [zms, zts] = [await olderDatabase('zms'), await olderDatabase('zts')]
    for (const [server, lines] of Object.entries({
      zms: [`athenz.zms.jdbc_store=${db.jdbcUrl(zms)}`, 'athenz.zms.jdbc_user=root'],
      zts: [
        `athenz.zts.cert_jdbc_store=${db.jdbcUrl(zts)}`,
        'athenz.zts.cert_jdbc_user=root',
        `athenz.zts.ssh_jdbc_store=${db.jdbcUrl(zts)}`,
        'athenz.zts.ssh_jdbc_user=root',
      ],
    })) {
      const conf = join(folder, 'conf', `${server}_server`)
      await mkdir(conf, { recursive: true })
      await writeFile(join(conf, `${server}.properties`), `${lines.join('\n')}\n`)
      await writeFile(join(conf, 'athenz.properties'), '')
    }
    const done = await migrate('--root', folder)
    assert.equal(done.status, 0, done.stderr)
    assert.match(done.stdout, /20190107 {2}DNS domain of certificates\n/)
    assert.equal(done.stdout.match(/: the ZMS schema: \d+ changes made, \d+ were there/g)?.length, 1)
    assert.equal(done.stdout.match(/: the ZTS schema: \d+ changes made, \d+ were there/g)?.length, 1)
    const denied = await migrate('--root', folder, '-D', 'athenz.zms.jdbc_user=nobody')
    assert.equal(denied.status, 1)
    assert.match(denied.stderr, /^athenz migrate: .*Access denied.*check user and password/m)
  })

  test('goes on after it was killed', async () => {
    const database = await olderDatabase('zms')
    const dry = await migrate('--mysql-url', db.url(database), '--dry-run')
    const changes = dry.stdout.match(/^-- \d{8}: /gm)?.length ?? 0
    for (const lines of [1, 5, 9]) {
      await using program = startProgram(ATHENZ, ['migrate', '--mysql-url', db.url(database)])
      for (let count = 0; count < lines; count++) await program.line()
      program.kill('SIGKILL')
      const { signal } = await program.ended
      assert.equal(signal, 'SIGKILL')
    }
    const rest = await migrate('--mysql-url', db.url(database))
    assert.equal(rest.status, 0, rest.stderr)
    const [made, present] = (/: (\d+) changes made, (\d+) were there/.exec(rest.stdout) ?? []).slice(1).map(Number)
    assert.ok(made && made > 0 && made < changes, rest.stdout)
    const records = await db.query(`SELECT id FROM ${database}.athenz_schema_changes`)
    assert.equal(records.length, made + (present ?? 0))
  })

  test('says in one line what is wrong', async () => {
    for (const [args, reason] of [
      [['--mysql-url', 'postgres://x'], /--mysql-url: is not the URL of a MySQL database/],
      [['--mysql-url', `mysql://127.0.0.1:${db.port}/x`], /the user in --mysql-url is missing/],
      [['--mysql-url', db.url('absent')], /absent at .*Unknown database/],
      [['--root', join(folder, 'nothing')], /no database is configured: set athenz\.zms\.jdbc_store/],
      [
        ['--mysql-url', db.url('x'), '--mysql-password-file', '/nowhere'],
        /--mysql-password-file \/nowhere: it does not exist/,
      ],
    ] as const) {
      const { status, stderr } = await migrate(...args)
      assert.equal(status, 1)
      assert.match(stderr, reason)
      assert.equal(stderr.trim().split('\n').length, 1, stderr)
    }
  })
})
