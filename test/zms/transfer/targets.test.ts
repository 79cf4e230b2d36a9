import assert from 'node:assert/strict'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { openFileStore } from '#zms/store/file/file-store.ts'
import { writeDataFile } from '#zms/transfer/data-file.ts'
import type { DataLocation, FillOptions } from '#zms/transfer/data-location.ts'
import type { PortableRow, TableName, TableRow } from '#zms/transfer/tables.ts'
import { type MariaDb, startMariaDb } from '../../support/mariadb.ts'
import { openStore, settingsFor } from '../../support/mysql-store.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { everything } from '../store/suite/everything.ts'
import { fullDomain } from '../store/suite/samples.ts'
import { dumpOf, filledDatabase, ZMS_SCHEMA } from './filled-database.ts'
import { exported, imported } from './portable.ts'

const folder = temporaryFolder()
let db: MariaDb
let counter = 0
before(async () => {
  db = await startMariaDb()
})
after(() => db.stop())

const inDatabase = (database: string): DataLocation => ({ kind: 'mysql', settings: settingsFor(db, database) })
const newFolder = () => join(folder, `store-${counter++}`)
const inFolder = (path: string): DataLocation => ({ kind: 'file', folder: path })

/** A store with one full domain of that name; gives its folder. */
async function filledFolder(name: string): Promise<string> {
  const path = newFolder()
  const store = await openFileStore({ folder: path })
  await store.transact([name], (transaction) =>
    transaction.apply({ kind: 'createDomain', domain: name, value: fullDomain(name) }),
  )
  await store.close()
  return path
}

async function contentOf(path: string): Promise<unknown> {
  const store = await openFileStore({ folder: path })
  const content = await everything(store)
  await store.close()
  return content
}

/** Rows of a portable file, each changed by `change` (undefined leaves it out), as a file that is complete. */
async function edited(data: Buffer, change: (each: TableRow) => TableRow | undefined): Promise<Buffer> {
  const lines = data.toString().split('\n')
  const { lastAssertionId, lastModified } = JSON.parse(lines[0] ?? '') as {
    lastAssertionId: number
    lastModified: number
  }
  const rows = lines.slice(1, -2).flatMap((line) => {
    const [[table, row]] = Object.entries(JSON.parse(line) as object) as [[TableName, PortableRow]]
    return change({ table, row }) ?? []
  })
  const pieces = async function* () {
    yield rows
  }
  const chunks: Buffer[] = []
  for await (const chunk of writeDataFile({ lastAssertionId, lastModified }, pieces())) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const set = (table: TableName, values: PortableRow, where: (row: PortableRow) => boolean = () => true) => {
  return (each: TableRow): TableRow =>
    each.table === table && where(each.row) ? { table, row: { ...each.row, ...values } } : each
}

const refuses = (work: Promise<unknown>, reason: RegExp) =>
  assert.rejects(work, (error: Error) => {
    assert.ok(['TransferError', 'MigrationError'].includes(error.name), error.stack)
    assert.match(error.message, reason)
    return true
  })

describe('an embedded store', () => {
  test('that holds data is not touched unless they are to be replaced; then they stay beside', async () => {
    const [from, to] = [await filledFolder('sports'), await filledFolder('weather')]
    const data = await exported(inFolder(from))
    const former = await contentOf(to)
    await refuses(imported(data, inFolder(to)), /holds data: name an empty store, or replace them with --replace$/)
    assert.deepEqual(await contentOf(to), former)
    const said: string[] = []
    await imported(data, inFolder(to), { replace: true, label: '20261122', say: (line) => said.push(line) })
    assert.deepEqual(said, [`the former data are in ${to}.replaced-20261122`])
    assert.deepEqual(await contentOf(to), await contentOf(from))
    assert.deepEqual(await contentOf(`${to}.replaced-20261122`), former)
  })

  test('that is new or empty leaves nothing beside it', async () => {
    const data = await exported(inFolder(await filledFolder('sports')))
    const parent = join(folder, `parent-${counter++}`)
    await imported(data, inFolder(join(parent, 'new')))
    await mkdir(join(parent, 'empty'))
    await imported(data, inFolder(join(parent, 'empty')))
    await (await openFileStore({ folder: join(parent, 'opened') })).close()
    await imported(data, inFolder(join(parent, 'opened')))
    assert.deepEqual((await readdir(parent)).toSorted(), ['empty', 'new', 'opened'])
    assert.deepEqual(await contentOf(join(parent, 'opened')), await contentOf(join(parent, 'new')))
  })

  test('that is in use, is none, or is something else is refused', async () => {
    const path = await filledFolder('sports')
    const data = await exported(inFolder(path))
    const store = await openFileStore({ folder: path })
    await refuses(exported(inFolder(path)), /in use by another process: stop the server first$/)
    await refuses(
      imported(data, inFolder(path), { replace: true }),
      /in use by another process: stop the server first$/,
    )
    await store.close()
    await refuses(exported(inFolder(join(folder, 'nowhere'))), /^there is no data store in .*nowhere$/)
    const other = newFolder()
    await mkdir(other)
    await writeFile(join(other, 'letter.txt'), 'hello')
    await refuses(imported(data, inFolder(other), { replace: true }), /is no data store: it holds letter\.txt$/)
    assert.deepEqual(await readdir(other), ['letter.txt'])
  })

  test('stays as it was when the file is damaged', async () => {
    const [from, to] = [await filledFolder('sports'), await filledFolder('weather')]
    const data = await exported(inFolder(from))
    const former = await contentOf(to)
    const damaged = Buffer.from(data.toString().replace('"readers"', '"writers"'))
    await refuses(imported(damaged, inFolder(to), { replace: true }), /^the file was altered/)
    assert.deepEqual(await contentOf(to), former)
    await assert.rejects(readdir(`${to}.import`), { code: 'ENOENT' })
  })

  test('keeps no value that it has no place for, and says which', async () => {
    const data = await edited(await exported(inFolder(await filledFolder('sports'))), (each) =>
      set(
        'role_member',
        { active: 0 },
        (row) => row['principal'] === 'user.joe',
      )(set('assertion', { effect: 'allow' }, (row) => row['action'] === '*')(each)),
    )
    const to = newFolder()
    await refuses(
      imported(data, inFolder(to)),
      /no place for: 1 row of role_member as they are, like \{"principal":"user\.joe".*; 1 row of assertion .*--accept-loss/,
    )
    const said: string[] = []
    await imported(data, inFolder(to), { acceptLoss: true, say: (line) => said.push(line) })
    assert.equal(said.length, 2)
    assert.match(said[0] ?? '', /^left out: 1 row of role_member/)
    const store = await openFileStore({ folder: to })
    const effects = [...(store.domain('sports')?.policies.get('admin')?.get('0')?.assertions.values() ?? [])]
    // Whatever is not plainly an ALLOW grants nothing.
    assert.deepEqual(
      effects.map(({ effect }) => effect),
      ['DENY'],
    )
    await store.close()
  })
})

describe('a database', () => {
  const emptyDatabase = () => db.freshDatabase(ZMS_SCHEMA)
  let data: Buffer
  before(async () => {
    // Databases keep whole seconds of some times.
    const database = await emptyDatabase()
    await imported(await exported(inFolder(await filledFolder('sports'))), inDatabase(database))
    data = await exported(inDatabase(database))
  })

  test('that holds data is not touched unless they are to be replaced', async () => {
    const database = await filledDatabase(db)
    const former = await dumpOf(db, database)
    await refuses(imported(data, inDatabase(database)), /holds data \(table principal\): name an empty database, or/)
    assert.deepEqual(await dumpOf(db, database), former)
    await imported(data, inDatabase(database), { replace: true })
    assert.equal((await exported(inDatabase(database))).toString(), data.toString())
  })

  test('stays as it was when the file is damaged', async () => {
    const database = await filledDatabase(db)
    const former = await dumpOf(db, database)
    const damaged = Buffer.from(data.toString().replace('"readers"', '"writers"'))
    await refuses(imported(damaged, inDatabase(database), { replace: true }), /^the file was altered/)
    assert.deepEqual(await dumpOf(db, database), former)
  })

  test('does not take what it would change or confuse, and says which row', async () => {
    const cases: readonly [(each: TableRow) => TableRow, RegExp][] = [
      [
        set('entity', { name: '\u{1f600}' }),
        /^the database does not take entity domain_id 1, name ".*": Incorrect string value/,
      ],
      [
        set('role', { sign_algorithm: 'x'.repeat(65) }),
        /^the database does not take role role_id 1, .*name "admin": Data too long/,
      ],
      [
        set('role', { name: 'Admin' }, (row) => row['name'] === 'readers'),
        /does not take role role_id 2.*Duplicate entry/,
      ],
      [set('role', { max_members: 2 ** 40 }), /does not take role role_id 1.*Out of range/],
      [set('role_member', { principal_id: 999_999 }), /does not take role_member .*foreign key/i],
    ]
    const database = await emptyDatabase()
    for (const [change, reason] of cases) {
      await refuses(imported(await edited(data, change), inDatabase(database)), reason)
      assert.deepEqual(await dumpOf(db, database), [])
    }
    await imported(data, inDatabase(database))
  })

  test('with an older or unknown schema is refused', async () => {
    const database = await emptyDatabase()
    await db.query(`ALTER TABLE ${database}.domain DROP cost_center`)
    await refuses(
      imported(data, inDatabase(database)),
      /lacks change 20260513: bring it up to date with athenz migrate$/,
    )
    await refuses(exported(inDatabase(database)), /lacks change 20260513/)
    const other = await emptyDatabase()
    await db.query(`ALTER TABLE ${other}.domain ADD color VARCHAR(10) NOT NULL DEFAULT ''`)
    await refuses(exported(inDatabase(other)), /^unknown columns: domain\.color;/)
    await imported(data, inDatabase(other))
    await db.query('CREATE DATABASE IF NOT EXISTS bare')
    await refuses(imported(data, inDatabase('bare')), /^the database has no tables of ZMS$/)
  })

  test('is exported as it is at one moment while servers write to it', async () => {
    const database = await emptyDatabase()
    await imported(data, inDatabase(database))
    const store = openStore(db, database)
    const { openSource } = await import('#zms/transfer/data-location.ts')
    const source = await openSource(inDatabase(database))
    await store.transact(['sports', 'late'], (transaction) =>
      transaction.apply(
        { kind: 'deleteDomain', domain: 'sports' },
        { kind: 'createDomain', domain: 'late', value: fullDomain('late') },
      ),
    )
    await store.close()
    const chunks: Buffer[] = []
    for await (const chunk of writeDataFile(source.state, source.rows())) chunks.push(chunk)
    await source.close()
    assert.equal(Buffer.concat(chunks).toString(), data.toString())
  })
})

describe('rows in a wrong order are refused by', () => {
  const moves: readonly [string, (rows: TableRow[]) => TableRow[], RegExp][] = [
    [
      'a member before its role',
      (rows) => moved(rows, 'role_member', 'domain'),
      /role_member \(role_id 2\) does not follow its role/,
    ],
    [
      'a role of another domain',
      (rows) => rows.map(set('role', { domain_id: 77 })),
      /role \(domain_id 77\) does not follow its domain/,
    ],
    [
      'a principal behind domains',
      (rows) => [...rows.slice(1), rows[0] as TableRow],
      /a row of principal comes behind domains/,
    ],
    [
      'a domain twice',
      (rows) => [...rows, ...rows.filter(({ table }) => table === 'domain')],
      /domain sports comes behind sports/,
    ],
  ]
  const kinds: readonly [string, () => Promise<DataLocation>][] = [
    ['an embedded store', async () => inFolder(newFolder())],
    ['a database', async () => inDatabase(await db.freshDatabase(ZMS_SCHEMA))],
  ]
  for (const [kind, location] of kinds) {
    for (const [what, change, reason] of moves) {
      test(`${kind}: ${what}`, async () => {
        const data = await exported(inFolder(await filledFolder('sports')))
        const rows: TableRow[] = []
        await edited(data, (each) => {
          rows.push(each)
          return each
        })
        const left = change(rows)
        const file = await edited(data, () => left.shift())
        const rest = left.length === 0 ? file : await appended(file, left)
        await refuses(imported(rest, await location(), {} satisfies Partial<FillOptions>), reason)
      })
    }
  }
})

/** The last row of one table put behind the first of another. */
function moved(rows: readonly TableRow[], table: TableName, place: TableName): TableRow[] {
  const last = rows.findLast((each) => each.table === table) as TableRow
  return rows.filter((each) => each !== last).flatMap((each) => (each.table === place ? [each, last] : [each]))
}

async function appended(file: Buffer, rows: readonly TableRow[]): Promise<Buffer> {
  const lines = file.toString().split('\n')
  const count = lines.length - 3
  let seen = 0
  const all = [...rows]
  const padded = Buffer.from(
    [...lines.slice(0, -2), ...all.map(({ table, row }) => JSON.stringify({ [table]: row })), ...lines.slice(-2)].join(
      '\n',
    ),
  )
  return edited(padded, (each) => {
    seen += 1
    return seen <= count + all.length ? each : undefined
  })
}
