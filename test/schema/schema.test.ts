import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { type MariaDb, startMariaDb } from '../support/mariadb.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')
const facts = join(root, 'test/database')
const schemas = {
  zms: { file: join(root, 'schema/zms_server.sql'), database: 'zms_server', rows: 'original-data.sql' },
  zts: { file: join(root, 'schema/zts_server.sql'), database: 'zts_store', rows: 'original-zts-data.sql' },
} as const

// The members of test/database/columns.json; its notation is explained there.
interface Column {
  name: string
  type: string
  null?: true
  default?: string | number
  extra?: string
  collation?: string
  keys?: string[]
}
interface Table {
  engine: string
  collation: string
  columns: Column[]
  primary: string[]
  unique?: string[][]
  indexes?: string[][]
  foreign?: string[][]
}

interface ColumnRow {
  TABLE_NAME: string
  COLUMN_NAME: string
  COLUMN_TYPE: string
  IS_NULLABLE: 'YES' | 'NO'
  COLUMN_DEFAULT: string | null
  EXTRA: string
  COLLATION_NAME: string | null
}
interface KeyRow {
  TABLE_NAME: string
  INDEX_NAME: string
  NON_UNIQUE: number
  COLUMN_NAME: string
  SUB_PART: number | null
}
interface ForeignRow {
  TABLE_NAME: string
  CONSTRAINT_NAME: string
  COLUMN_NAME: string
  TARGET: string
  DELETE_RULE: string
  UPDATE_RULE: string
}

/** A default as the facts write it: numbers and words bare, texts without their quotes. */
function defaultOf(row: ColumnRow): string | number | undefined {
  const text = row.COLUMN_DEFAULT
  if (text === null || text === 'NULL') return undefined
  if (/^'.*'$/.test(text)) return text.slice(1, -1)
  return /^-?\d+$/.test(text) ? Number(text) : text
}

/** The tables of a database as the facts write them. */
async function describeTables(db: MariaDb, database: string): Promise<Map<string, Table>> {
  const tables = await db.query<{ TABLE_NAME: string; ENGINE: string; TABLE_COLLATION: string }>(
    'SELECT TABLE_NAME, ENGINE, TABLE_COLLATION FROM information_schema.TABLES WHERE TABLE_SCHEMA = ?',
    [database],
  )
  const columns = await db.query<ColumnRow>(
    'SELECT * FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? ORDER BY TABLE_NAME, ORDINAL_POSITION',
    [database],
  )
  const keys = await db.query<KeyRow>(
    `SELECT TABLE_NAME, INDEX_NAME, NON_UNIQUE, COLUMN_NAME, SUB_PART FROM information_schema.STATISTICS
     WHERE TABLE_SCHEMA = ? ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX`,
    [database],
  )
  const foreign = await db.query<ForeignRow>(
    `SELECT k.TABLE_NAME, k.CONSTRAINT_NAME, k.COLUMN_NAME, r.DELETE_RULE, r.UPDATE_RULE,
            CONCAT(k.REFERENCED_TABLE_NAME, '.', k.REFERENCED_COLUMN_NAME) AS TARGET
     FROM information_schema.KEY_COLUMN_USAGE k
     JOIN information_schema.REFERENTIAL_CONSTRAINTS r
       ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME
     WHERE k.TABLE_SCHEMA = ? AND k.REFERENCED_TABLE_NAME IS NOT NULL ORDER BY k.CONSTRAINT_NAME`,
    [database],
  )
  const indexes = (table: string, wanted: (key: KeyRow) => boolean): string[][] => {
    const grouped = Map.groupBy(
      keys.filter((key) => key.TABLE_NAME === table && wanted(key)),
      (key) => key.INDEX_NAME,
    )
    return [...grouped].map(([name, parts]) => [
      name,
      ...parts.map((part) => part.COLUMN_NAME + (part.SUB_PART === null ? '' : `(${part.SUB_PART})`)),
    ])
  }
  return new Map(
    tables.map(({ TABLE_NAME: table, ENGINE, TABLE_COLLATION }) => {
      const primary = indexes(table, (key) => key.INDEX_NAME === 'PRIMARY')[0]?.slice(1) ?? []
      const unique = indexes(table, (key) => key.INDEX_NAME !== 'PRIMARY' && key.NON_UNIQUE === 0)
      const plain = indexes(table, (key) => key.NON_UNIQUE === 1)
      const references = foreign
        .filter((row) => row.TABLE_NAME === table)
        .map((row) => [
          row.CONSTRAINT_NAME,
          row.COLUMN_NAME,
          row.TARGET,
          `on delete ${row.DELETE_RULE.toLowerCase()}`,
          `on update ${row.UPDATE_RULE.toLowerCase()}`,
        ])
      return [
        table,
        {
          engine: ENGINE,
          collation: TABLE_COLLATION,
          columns: columns
            .filter((row) => row.TABLE_NAME === table)
            .map((row) => {
              const value = defaultOf(row)
              const otherCollation = row.COLLATION_NAME !== null && row.COLLATION_NAME !== TABLE_COLLATION
              return {
                name: row.COLUMN_NAME,
                type: row.COLUMN_TYPE,
                ...(row.IS_NULLABLE === 'YES' ? { null: true as const } : {}),
                ...(value === undefined ? {} : { default: value }),
                ...(row.EXTRA === '' ? {} : { extra: row.EXTRA }),
                ...(otherCollation ? { collation: row.COLLATION_NAME as string } : {}),
              }
            }),
          primary,
          ...(unique.length > 0 ? { unique } : {}),
          ...(plain.length > 0 ? { indexes: plain } : {}),
          ...(references.length > 0 ? { foreign: references } : {}),
        },
      ]
    }),
  )
}

const byName = (a: string[], b: string[]) => ((a[0] ?? '') < (b[0] ?? '') ? -1 : 1)

/** The facts without what is derived from other facts, lists of keys in one order. */
const arranged = (table: Table): Table => ({
  ...table,
  columns: table.columns.map(({ keys: _derived, ...column }) => column),
  ...(table.unique ? { unique: table.unique.toSorted(byName) } : {}),
  ...(table.indexes ? { indexes: table.indexes.toSorted(byName) } : {}),
  ...(table.foreign ? { foreign: table.foreign.toSorted(byName) } : {}),
})

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
        const expected = JSON.parse(await readFile(join(facts, 'columns.json'), 'utf8'))[server] as Record<
          string,
          Table
        >
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
