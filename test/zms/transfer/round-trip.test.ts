import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { openFileStore } from '#zms/store/file/file-store.ts'
import type { DataLocation } from '#zms/transfer/data-location.ts'
import { type MariaDb, startMariaDb } from '../../support/mariadb.ts'
import { openStore, settingsFor } from '../../support/mysql-store.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { RandomChanges, randomFrom } from '../store/mysql/random-changes.ts'
import { everything } from '../store/suite/everything.ts'
import { dumpOf, filledDatabase, unusedColumns, ZMS_SCHEMA } from './filled-database.ts'
import { exported, imported } from './portable.ts'

const folder = temporaryFolder()
let db: MariaDb
let counter = 0
before(async () => {
  db = await startMariaDb()
})
after(() => db.stop())

const emptyDatabase = (): Promise<string> => db.freshDatabase(ZMS_SCHEMA)
const inDatabase = (database: string): DataLocation => ({ kind: 'mysql', settings: settingsFor(db, database) })
const inFolder = (): DataLocation & { kind: 'file' } => ({ kind: 'file', folder: join(folder, `store-${counter++}`) })

/** Lines of a portable file without the keys that every store gives anew. */
function withoutKeys(data: Buffer): string[] {
  return data
    .toString()
    .split('\n')
    .slice(1, -2)
    .map((line) =>
      line
        .replaceAll(/"(domain|role|group|policy|service|principal|host|audit_log)_id":\d+,?/g, '')
        // Only the original's database knows when limits were set first.
        .replace(/^(\{"quota":.*"created":")[^"]+/, '$1'),
    )
}

describe('data that move from', () => {
  test('a database to a file to a database are the same to the last column', async () => {
    const database = await filledDatabase(db)
    assert.deepEqual(await unusedColumns(db, database), [])
    const data = await exported(inDatabase(database))
    const copy = await emptyDatabase()
    assert.equal(await imported(data, inDatabase(copy)), (await dumpOf(db, database)).length)
    assert.deepEqual(await dumpOf(db, copy), await dumpOf(db, database))
    assert.deepEqual(await exported(inDatabase(copy)), data)
    const next = async (name: string) => {
      const [row] = await db.query(`SHOW CREATE TABLE ${name}.assertion`)
      return /AUTO_INCREMENT=\d+/.exec(String(row?.['Create Table']))?.[0]
    }
    assert.equal(await next(copy), await next(database))
  })

  test('a database to an embedded store and back are the same but for the keys', async () => {
    const database = await filledDatabase(db)
    const data = await exported(inDatabase(database))
    const embedded = inFolder()
    await imported(data, embedded)
    const fromStore = await exported(embedded)
    const hosts = (lines: string[]) => lines.filter((line) => line.startsWith('{"host"'))
    const others = (lines: string[]) => lines.filter((line) => !line.startsWith('{"host"'))
    assert.deepEqual(others(withoutKeys(fromStore)), others(withoutKeys(data)))
    // Hosts that no service is on any more have no meaning.
    for (const host of hosts(withoutKeys(fromStore))) assert.ok(withoutKeys(data).includes(host))
    const back = await emptyDatabase()
    await imported(fromStore, inDatabase(back))
    assert.deepEqual(others(withoutKeys(await exported(inDatabase(back)))), others(withoutKeys(data)))

    const [first, second] = [openStore(db, database), await openFileStore({ folder: embedded.folder })]
    assert.deepEqual(await everything(second), await everything(first))
    const third = openStore(db, back)
    assert.deepEqual(await everything(third), await everything(first))
    for (const store of [first, second, third]) await store.close()
  })

  for (const seed of [11, 12, 13]) {
    test(`an embedded store to a file to an embedded store are the same (seed ${seed})`, async () => {
      const original = inFolder()
      const random = new RandomChanges(randomFrom(seed))
      const domains = ['sports', 'weather', 'news.late']
      // Documents, history files and the journal all have a part of it.
      const store = await openFileStore({ folder: original.folder, checkpointBytes: 20_000 })
      for (const domain of domains) {
        await store.transact([domain], (transaction) =>
          transaction.apply({ kind: 'createDomain', domain, value: random.domain(domain, `id-${domain}`) }),
        )
      }
      for (let round = 0; round < 60; round++) {
        await store.transact(domains, (transaction) => {
          for (const domain of domains) transaction.apply(random.change(domain, `id-${domain}`, []))
        })
      }
      await store.transact(['news.late'], (transaction) =>
        transaction.apply({ kind: 'deleteDomain', domain: 'news.late' }),
      )
      const expected = await everything(store)
      await store.close()

      const data = await exported(original)
      const copy = inFolder()
      await imported(data, copy)
      assert.deepEqual((await exported(copy)).toString(), data.toString())
      const opened = await openFileStore({ folder: copy.folder })
      assert.deepEqual(await everything(opened), expected)
      // It goes on as any other, and gives no id and no stamp twice.
      await opened.transact(['fresh'], (transaction) =>
        transaction.apply({ kind: 'createDomain', domain: 'fresh', value: random.domain('fresh', 'id-fresh') }),
      )
      const grown = await everything(opened)
      await opened.close()
      const again = await openFileStore({ folder: copy.folder })
      assert.deepEqual(await everything(again), grown)
      await again.close()
    })
  }

  test('an embedded store to a database are the same', async () => {
    const embedded = inFolder()
    const store = await openFileStore({ folder: embedded.folder })
    const random = new RandomChanges(randomFrom(7))
    for (const domain of ['sports', 'weather']) {
      await store.transact([domain], (transaction) =>
        transaction.apply({ kind: 'createDomain', domain, value: random.domain(domain, `id-${domain}`) }),
      )
    }
    const expected = await everything(store)
    await store.close()
    const data = await exported(embedded)
    const database = await emptyDatabase()
    await imported(data, inDatabase(database))
    assert.deepEqual((await exported(inDatabase(database))).toString(), data.toString())
    const opened = openStore(db, database)
    assert.deepEqual(await everything(opened), expected)
    await opened.close()
  })

  test('a database with large roles are the same', async () => {
    const database = await filledDatabase(db)
    await db.query(`USE ${database};
      INSERT INTO principal (name) SELECT CONCAT('crowd.m', seq) FROM seq_1_to_9000;
      INSERT INTO role (domain_id, name) SELECT domain_id, CONCAT('large', seq) FROM domain JOIN seq_1_to_4
        WHERE domain.name = 'sports';
      INSERT INTO role_member (role_id, principal_id) SELECT role_id, principal_id FROM role JOIN principal
        WHERE role.name LIKE 'large%' AND principal.name LIKE 'crowd.%';
      INSERT INTO role (domain_id, name) SELECT domain_id, CONCAT('small', seq) FROM domain JOIN seq_1_to_3000
        WHERE domain.name = 'weather'`)
    const data = await exported(inDatabase(database))
    const copy = await emptyDatabase()
    await imported(data, inDatabase(copy))
    assert.deepEqual(await dumpOf(db, copy), await dumpOf(db, database))
  })
})
