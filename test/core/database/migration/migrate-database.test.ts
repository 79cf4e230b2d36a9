import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { KNOWN_SCHEMAS } from '#core/database/migration/known-schema.ts'
import { type DatabaseMigration, migrateDatabase } from '#core/database/migration/migrate-database.ts'
import { MigrationError } from '#core/database/migration/migration-error.ts'
import { checksumOf } from '#core/database/migration/schema-change.ts'
import { assertGolden } from '../../../support/golden.ts'
import { type MariaDb, startMariaDb } from '../../../support/mariadb.ts'
import { openStore, settingsFor } from '../../../support/mysql-store.ts'
import { type Column, describeTables, originalTables, type Table } from '../../../support/table-facts.ts'
import { everything } from '../../../zms/store/suite/everything.ts'
import { DATES, turnBack } from './older-schemas.ts'

const root = join(import.meta.dirname, '../../../..')
const SCHEMAS = {
  zms: { file: join(root, 'schema/zms_server.sql'), rows: join(root, 'test/database/original-data.sql') },
  zts: { file: join(root, 'schema/zts_server.sql'), rows: join(root, 'test/database/original-zts-data.sql') },
} as const
type Server = keyof typeof SCHEMAS

let db: MariaDb
before(async () => {
  db = await startMariaDb()
})
after(() => db.stop())

const migrate = (database: string, options: Partial<DatabaseMigration> = {}) =>
  migrateDatabase({ settings: settingsFor(db, database), ...options })

async function olderDatabase(server: Server, date: string): Promise<string> {
  const { file, rows } = SCHEMAS[server]
  const database = await db.freshDatabase(file)
  await db.load(database, rows)
  await turnBack(db, database, server, date)
  return database
}

/** Statements that a dry run would execute. */
async function plannedIn(database: string): Promise<string[]> {
  const statements: string[] = []
  await migrate(database, { dryRun: true, onStatement: ({ sql }) => statements.push(sql) })
  return statements
}

/** All rows of the tables with the columns that these tables had at some time. */
async function rowsOf(database: string, tables: ReadonlyMap<string, Table>): Promise<Record<string, unknown>> {
  const rows: Record<string, unknown> = {}
  for (const [table, { columns }] of tables) {
    const names = columns.map(({ name }) => `\`${name}\``).join(', ')
    const found = await db.query(`SELECT ${names} FROM ${database}.${table}`)
    rows[table] = found.map((row) => JSON.stringify(row)).sort()
  }
  return rows
}

const typeFits = ({ type }: Column, expected: Column) =>
  type === expected.type ||
  (type.startsWith('varchar') && Number(/\d+/.exec(type)) >= Number(/\d+/.exec(expected.type)))

/** The tables have what those of the original have; they may have keys besides. */
function assertUpToDate(actual: ReadonlyMap<string, Table>, expected: Record<string, Table>): void {
  for (const [name, table] of Object.entries(expected)) {
    const found = actual.get(name)
    assert.ok(found, name)
    const columns = new Map(found.columns.map((column) => [column.name, column]))
    assert.deepEqual([...columns.keys()].sort(), table.columns.map((column) => column.name).sort(), name)
    for (const { keys: _derived, ...column } of table.columns) {
      const { type: _type, ...other } = columns.get(column.name) as Column
      const { type: _expected, ...wanted } = column
      assert.deepEqual(other, wanted, `${name}.${column.name}`)
      assert.ok(typeFits(columns.get(column.name) as Column, column), `${name}.${column.name} ${column.type}`)
    }
    assert.deepEqual(found.primary.toSorted(), table.primary.toSorted(), name)
    assert.deepEqual(byText(found.unique), byText(table.unique), name)
    const keys = new Set((found.indexes ?? []).map(([, ...parts]) => parts.join()))
    for (const [key, ...parts] of table.indexes ?? []) assert.ok(keys.has(parts.join()), `${name}: key ${key}`)
    assert.deepEqual(byText(found.foreign), byText(table.foreign), name)
  }
}
const byText = (lists: string[][] = []) => lists.map((list) => list.join(' ')).sort()

describe('bringing an older database up to date', () => {
  const states: [Server, string][] = [
    ...['20190107', '20191004', '20200827', '20210723', '20230308', '20240525', '20260610'].map(
      (date): [Server, string] => ['zms', date],
    ),
    ...['20190208', '20210420'].map((date): [Server, string] => ['zts', date]),
  ]
  for (const [server, date] of states) {
    test(`${server}, as it was before ${date}: tables become the original's and rows stay`, async () => {
      const database = await olderDatabase(server, date)
      const tables = await describeTables(db, database)
      const rows = await rowsOf(database, tables)
      const statements: string[] = []
      const [outcome] = await migrate(database, { onStatement: ({ sql }) => statements.push(sql) })
      assert.deepEqual(
        outcome?.applied.filter((id) => id < date),
        [],
      )
      assert.ok(statements.length > 0)
      assertUpToDate(await describeTables(db, database), await originalTables(server))
      assert.deepEqual(await rowsOf(database, tables), rows)
      assert.deepEqual(await plannedIn(database), [])
      if (server === 'zts') return
      const store = openStore(db, database)
      const { counts, names } = (await everything(store)) as { counts: { role: number }; names: string[] }
      assert.ok(names.includes('sports') && counts.role > 0)
      await store.close()
    })
  }

  test('every state in between needs exactly the changes from its date on', async () => {
    const database = await db.freshDatabase(SCHEMAS.zms.file)
    for (const date of DATES.zms.toReversed()) {
      await turnBackOne(database, date)
      const [outcome] = await migrate(database, { dryRun: true })
      assert.equal(outcome?.applied[0], date)
    }
    const [outcome] = await migrate(database)
    assert.deepEqual(
      outcome?.applied.filter((id) => !DATES.zms.includes(id)),
      [],
    )
    assertUpToDate(await describeTables(db, database), await originalTables('zms'))
  })

  const turnBackOne = async (database: string, date: string) => {
    const next = DATES.zms[DATES.zms.indexOf(date) + 1]
    await turnBack(db, database, 'zms', date, next)
  }

  test('limits of domains get the usual ones for groups', async () => {
    const database = await olderDatabase('zms', '20200827')
    await migrate(database)
    const limits = await db.query(`SELECT principal_group, principal_group_member FROM ${database}.quota`)
    assert.ok(limits.length > 0)
    for (const limit of limits) assert.deepEqual(limit, { principal_group: 100, principal_group_member: 100 })
  })

  describe('variants that the original’s own updates left', () => {
    let database: string
    beforeEach(async () => {
      database = await db.freshDatabase(SCHEMAS.zms.file)
      await db.load(database, SCHEMAS.zms.rows)
    })
    const variants: Record<string, string> = {
      'a column of another name': `ALTER TABLE principal
        CHANGE system_suspended system_disabled INT UNSIGNED NOT NULL DEFAULT 0`,
      'shorter names of servers': `ALTER TABLE role_member
        MODIFY server VARCHAR(255) NULL, MODIFY review_server VARCHAR(255) NULL`,
      'separate keys of tags': `ALTER TABLE role_tags
        DROP INDEX tag_key_val_sec_idx, ADD INDEX a (\`key\`), ADD INDEX b (value)`,
      'a default of limits': 'ALTER TABLE quota ALTER principal_group SET DEFAULT 100',
      'a time that changes move': `ALTER TABLE pending_role_member
        MODIFY req_time DATETIME(3) NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3)`,
    }
    for (const [variant, sql] of Object.entries(variants)) {
      test(variant, async () => {
        const rows = await db.query(`SELECT * FROM ${database}.principal ORDER BY name`)
        await db.query(`USE ${database}; ${sql}`)
        const [outcome] = await migrate(database)
        assert.equal(outcome?.applied.length, variant === 'shorter names of servers' ? 2 : 1)
        assertUpToDate(await describeTables(db, database), await originalTables('zms'))
        assert.deepEqual(await db.query(`SELECT * FROM ${database}.principal ORDER BY name`), rows)
      })
    }

    test('another order in a primary key, unsigned flags, and other names of constraints are left alone', async () => {
      await db.query(`USE ${database};
        ALTER TABLE service_tags DROP PRIMARY KEY, ADD PRIMARY KEY (\`key\`, value, service_id);
        ALTER TABLE role_member MODIFY system_disabled INT UNSIGNED NOT NULL DEFAULT 0;
        ALTER TABLE policy_tags DROP FOREIGN KEY fk_policy_tag_policy;
        ALTER TABLE policy_tags ADD CONSTRAINT another FOREIGN KEY (policy_id) REFERENCES policy (policy_id)
          ON DELETE CASCADE ON UPDATE NO ACTION;
        CREATE INDEX idx_self_serve ON role (self_serve)`)
      assert.deepEqual(await plannedIn(database), [])
    })
  })

  test('new tables get the character set that the others have', async () => {
    const database = await olderDatabase('zms', '20230606')
    await db.query(`ALTER TABLE ${database}.domain CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`)
    await migrate(database)
    const tables = await describeTables(db, database)
    assert.equal(tables.get('policy_tags')?.collation, 'utf8mb4_unicode_ci')
    assert.equal(tables.get('policy_tags')?.columns.find(({ name }) => name === 'key')?.collation, 'utf8mb4_bin')
  })
})

describe('a dry run', () => {
  test('changes nothing and gives statements that do the same', async () => {
    const database = await olderDatabase('zms', '20190107')
    const former = await describeTables(db, database)
    const statements = await plannedIn(database)
    assert.deepEqual(await describeTables(db, database), former)
    await db.query(`USE ${database}; ${statements.join(';\n')}`)
    assert.deepEqual(await plannedIn(database), [])
    assertUpToDate(await describeTables(db, database), await originalTables('zms'))
  })
})

describe('a migration that was cut short', () => {
  test('goes on after any of its statements', async () => {
    const database = await olderDatabase('zms', '20190107')
    const expected = await plannedIn(database)
    const executed: string[] = []
    for (let cut = 0; executed.length < expected.length; cut++) {
      assert.ok(cut <= expected.length)
      // Each time only one statement gets through.
      let count = 0
      const onStatement = ({ sql }: { sql: string }) => {
        if (count++ > 0) throw new Error('cut short')
        executed.push(sql)
      }
      await migrate(database, { onStatement }).catch((error: Error) => assert.equal(error.message, 'cut short'))
    }
    assert.deepEqual(executed, expected)
    assert.deepEqual(await plannedIn(database), [])
    assertUpToDate(await describeTables(db, database), await originalTables('zms'))
  })

  test('goes on when a table has some of the columns of a change', async () => {
    const database = await olderDatabase('zms', '20200129')
    await db.query(`ALTER TABLE ${database}.role ADD notify_roles VARCHAR(512) NOT NULL DEFAULT ''`)
    await migrate(database)
    assertUpToDate(await describeTables(db, database), await originalTables('zms'))
  })
})

describe('the record of changes', () => {
  const records = (database: string) =>
    db.query<{ id: string; checksum: string; statements: number }>(
      `SELECT id, checksum, statements FROM ${database}.athenz_schema_changes ORDER BY id`,
    )

  test('has every change with its checksum, those found done without statements', async () => {
    const database = await olderDatabase('zms', '20260421')
    await migrate(database)
    const changes = KNOWN_SCHEMAS[0]?.changes ?? []
    const found = await records(database)
    assert.deepEqual(
      found.map(({ id, checksum }) => [id, checksum]),
      changes.map((change) => [change.id, checksumOf(change)]),
    )
    for (const { id, statements } of found) assert.equal(statements > 0, id >= '20260421', id)
    await migrate(database)
    assert.deepEqual(await records(database), found)
  })

  test('released changes are never edited', () => {
    const checksums = KNOWN_SCHEMAS.flatMap(({ server, changes }) =>
      changes.map((change) => `${server} ${change.id} ${checksumOf(change)}`),
    )
    assertGolden('schema-changes.txt', `${checksums.join('\n')}\n`)
  })

  test('changes are in the order of their ids', () => {
    for (const { changes } of KNOWN_SCHEMAS) {
      const ids = changes.map(({ id }) => id)
      assert.deepEqual(ids, [...new Set(ids)].sort())
    }
  })
})

describe('refuses', () => {
  const refuses = (database: string, reason: RegExp, options: Partial<DatabaseMigration> = {}) =>
    assert.rejects(migrate(database, options), (error: Error) => {
      assert.ok(error instanceof MigrationError, String(error))
      assert.match(error.message, reason)
      return true
    })

  test('a database without tables of Athenz', async () => {
    await db.query('CREATE DATABASE IF NOT EXISTS empty_one')
    await refuses('empty_one', /^database empty_one has no tables of Athenz: .*schema\/zms_server\.sql/)
  })

  test('a database that does not exist', async () => {
    await refuses('absent_one', /cannot connect: .*absent_one.*create the database first/)
  })

  test('tables that are older than the oldest, or not of Athenz', async () => {
    const database = await olderDatabase('zms', '20190107')
    await db.query(`ALTER TABLE ${database}.role_member DROP expiration`)
    await refuses(database, /no ZMS database .*it lacks role_member\.expiration$/)
  })

  test('unknown columns, unless it is told to go on', async () => {
    const database = await olderDatabase('zms', '20230606')
    await db.query(`ALTER TABLE ${database}.role ADD color INT NOT NULL DEFAULT 0, ADD shape INT NULL`)
    await refuses(database, /^unknown columns: role\.color, role\.shape; the schema is newer .*nothing was changed/)
    assert.notDeepEqual((await db.query(`SHOW TABLES FROM ${database} LIKE 'policy_tags'`)).length, 1)
    const warnings: string[] = []
    await migrate(database, { allowUnknownColumns: true, warn: (line) => warnings.push(line) })
    assert.deepEqual(warnings, ['unknown columns: role.color, role.shape'])
  })

  test('a schema that a newer version of this program changed', async () => {
    const database = await db.freshDatabase(SCHEMAS.zts.file)
    await migrate(database)
    await db.query(`INSERT INTO ${database}.athenz_schema_changes VALUES ('zts', '20990101', '', 1, NOW(3))`)
    await refuses(database, /^the schema is newer than this program: it has the changes 20990101;/)
  })

  test('changes that were edited after they were applied', async () => {
    const database = await db.freshDatabase(SCHEMAS.zts.file)
    await migrate(database)
    await db.query(`UPDATE ${database}.athenz_schema_changes SET checksum = 'other' WHERE id = '20200428'`)
    await refuses(database, /^change 20200428 is not what was applied/)
  })

  test('rows that cannot stay, and says which statement failed', async () => {
    const database = await olderDatabase('zms', '20230203')
    await db.query(`INSERT INTO ${database}.principal_group_member
      SELECT * FROM ${database}.principal_group_member LIMIT 1`)
    await refuses(database, /^change 20230203 failed: .*Duplicate entry.*keep one of them\).*ADD PRIMARY KEY/)
  })

  test('names of certificate records that are too long', async () => {
    const database = await olderDatabase('zts', '20190208')
    await db.query(`UPDATE ${database}.certificates SET service = REPEAT('s', 400) LIMIT 1`)
    await refuses(database, /^change 20190208 failed: .*column 'service'.*shorten it/)
  })

  test('a user without the privileges', async () => {
    const database = await olderDatabase('zms', '20230606')
    await db.query(`CREATE USER limited IDENTIFIED BY ''; GRANT SELECT, CREATE, INSERT ON ${database}.* TO limited`)
    await db.query(`GRANT CREATE ON ${database}.* TO limited`)
    const settings = { ...settingsFor(db, database), user: 'limited' }
    await refuses(database, /denied.*lacks a privilege: GRANT .*ALTER/, { settings })
  })

  test('to run beside another migration', async () => {
    const database = await olderDatabase('zts', '20241022')
    const release = await holdLock('athenz_schema_migration_zts')
    await refuses(database, /another process is changing the schema/, { lockSeconds: 0 })
    await release()
    await migrate(database)
  })

  const holdLock = async (name: string) => {
    const { createConnection } = await import('mysql2/promise')
    const connection = await createConnection({ host: db.host, port: db.port, user: 'root' })
    await connection.query('SELECT GET_LOCK(?, 5)', [name])
    return () => connection.end()
  }
})

test('several at once do each statement once', async () => {
  const database = await olderDatabase('zms', '20240525')
  const expected = await plannedIn(database)
  const executed: string[] = []
  const onStatement = ({ sql }: { sql: string }) => executed.push(sql)
  await Promise.all([1, 2, 3].map(() => migrate(database, { onStatement })))
  assert.deepEqual(executed, expected)
})

test('updates that only a newer original knows are mentioned', async () => {
  const database = await db.freshDatabase(SCHEMAS.zms.file)
  await db.query(`CREATE TABLE ${database}.schema_version (version VARCHAR(64) PRIMARY KEY);
    INSERT INTO ${database}.schema_version VALUES ('20240325'), ('20991231')`)
  const warnings: string[] = []
  await migrate(database, { warn: (line) => warnings.push(line) })
  assert.match(warnings.join(), /^the original's update 20991231 is in the database and not known here/)
})
