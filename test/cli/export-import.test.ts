import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { openFileStore } from '#zms/store/file/file-store.ts'
import { type MariaDb, startMariaDb } from '../support/mariadb.ts'
import { runProgram } from '../support/program.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { dumpOf, filledDatabase, ZMS_SCHEMA } from '../zms/transfer/filled-database.ts'

const ATHENZ = join(import.meta.dirname, '../../bin/athenz')
const folder = temporaryFolder()
const athenz = (...args: string[]) => runProgram(ATHENZ, args)

let db: MariaDb
let database: string
let data: Buffer
let counter = 0
before(async () => {
  db = await startMariaDb()
  database = await filledDatabase(db)
  const file = join(folder, 'data.jsonl')
  assert.equal((await athenz('export', file, '--mysql-url', db.url(database))).status, 0)
  data = await readFile(file)
})
after(() => db.stop())

const newStore = () => join(folder, `store-${counter++}`)
const domainsIn = async (path: string) => {
  const store = await openFileStore({ folder: path })
  const names = await store.domainNames()
  await store.close()
  return names
}

// What InnoDB tells of transactions is not renewed while it is asked more often than every 100 ms.
const ASK_MILLIS = 120

/** Resolves when the question is answered with yes. */
async function until(question: () => Promise<boolean>): Promise<void> {
  while (!(await question())) await new Promise((resolve) => setTimeout(resolve, ASK_MILLIS))
}

/** Runs an import that has read a part of its data, waits for `reached`, and kills it. */
async function killImport(args: readonly string[], part: Buffer, reached: () => Promise<boolean>): Promise<void> {
  const child = spawn(ATHENZ, ['import', '-', ...args], { stdio: ['pipe', 'ignore', 'inherit'] })
  const ended = once(child, 'exit')
  // It may not live to read all of it.
  child.stdin.on('error', () => {})
  child.stdin.write(part)
  await until(reached)
  child.kill('SIGKILL')
  assert.deepEqual(await ended, [null, 'SIGKILL'])
}

/** Folders of domains in a store. */
const SHARDS = 16

describe('athenz export', () => {
  test('writes a file for its owner only, the same at every time, compressed by its name', async () => {
    const file = join(folder, 'again.jsonl.gz')
    const { status, stdout, stderr } = await athenz('export', file, '--mysql-url', db.url(database))
    assert.deepEqual([status, stdout], [0, ''])
    assert.match(stderr, /^\d+ rows exported\n$/)
    assert.deepEqual(gunzipSync(await readFile(file)), data)
    assert.equal((await stat(file)).mode & 0o777, 0o600)
  })

  test('writes to standard output', async () => {
    const { status, stdout } = await athenz('export', '-', '--mysql-url', db.url(database))
    assert.equal(status, 0)
    assert.equal(stdout, data.toString())
  })

  test('replaces no file, and leaves none behind when it fails', async () => {
    const file = join(folder, 'precious.jsonl')
    await writeFile(file, 'precious')
    const there = await athenz('export', file, '--mysql-url', db.url(database))
    assert.equal(there.status, 1)
    assert.match(there.stderr, /^athenz export: .*precious\.jsonl is there already: name another file\n$/)
    assert.equal(await readFile(file, 'utf8'), 'precious')
    const nowhere = await athenz('export', join(folder, 'failed.jsonl'), '--store-dir', join(folder, 'absent'))
    assert.equal(nowhere.status, 1)
    assert.match(nowhere.stderr, /^athenz export: there is no data store in .*absent\n$/)
    const unwritable = await athenz('export', join(folder, 'no/where.jsonl'), '--mysql-url', db.url(database))
    assert.match(unwritable.stderr, /^athenz export: it does not exist\n$/)
    assert.deepEqual(
      (await readdir(folder)).filter((name) => /failed|partial/.test(name)),
      [],
    )
  })
})

describe('athenz import', () => {
  test('fills embedded stores and databases, from files and pipes, and what comes back is the same', async () => {
    const [plain, packed, store] = [join(folder, 'data.jsonl'), join(folder, 'packed.gz'), newStore()]
    await writeFile(packed, gzipSync(data))
    const first = await athenz('import', plain, '--store-dir', store)
    assert.equal(first.status, 0, first.stderr)
    assert.match(first.stderr, /^\d+ rows imported\n$/)
    const copy = await db.freshDatabase(ZMS_SCHEMA)
    const second = await athenz('import', packed, '--mysql-url', db.url(copy))
    assert.equal(second.status, 0, second.stderr)
    assert.deepEqual(await dumpOf(db, copy), await dumpOf(db, database))
    const third = newStore()
    const piped = await runProgram('sh', [
      '-c',
      '"$0" export - --store-dir "$1" | "$0" import - --store-dir "$2" && "$0" export - --store-dir "$2" > "$3.a" &&' +
        ' "$0" export - --store-dir "$1" > "$3.b" && cmp "$3.a" "$3.b"',
      ATHENZ,
      store,
      third,
      join(folder, 'compare'),
    ])
    assert.equal(piped.status, 0, piped.stderr)
    assert.deepEqual(await domainsIn(third), await domainsIn(store))
  })

  test('leaves a store alone that a server has', async () => {
    const path = newStore()
    const store = await openFileStore({ folder: path })
    for (const command of [
      ['import', join(folder, 'data.jsonl'), '--replace'],
      ['export', join(folder, 'locked.jsonl')],
    ]) {
      const { status, stderr } = await athenz(...command, '--store-dir', path)
      assert.equal(status, 1)
      assert.match(stderr, /^athenz (im|ex)port: .* is in use by another process: stop the server first\n$/)
    }
    await store.close()
  })

  test('says in one line what is wrong', async () => {
    const cut = join(folder, 'cut.gz')
    await writeFile(cut, gzipSync(data).subarray(0, -20))
    const cases: readonly [string[], RegExp][] = [
      [['absent.jsonl', '--store-dir', newStore()], /it does not exist/],
      [[cut, '--store-dir', newStore()], /unexpected end of file/],
      [[join(folder, 'data.jsonl'), '--mysql-url', db.url(database)], /holds data .*--replace/],
      [[ATHENZ, '--store-dir', newStore()], /this is no file that athenz export wrote/],
      [['x', '--store-dir', newStore(), '--mysql-url', db.url(database)], /exclude each other/],
    ]
    for (const [args, reason] of cases) {
      const { status, stderr } = await athenz('import', ...args)
      assert.equal(status, 1, stderr)
      assert.match(stderr, reason)
      assert.equal(stderr.trim().split('\n').length, 1, stderr)
    }
  })

  test('that is killed leaves an embedded store as it was, and can be run again', async () => {
    const path = newStore()
    const small = join(folder, 'small.jsonl')
    assert.equal((await athenz('import', join(folder, 'data.jsonl'), '--store-dir', path)).status, 0)
    assert.equal((await athenz('export', small, '--store-dir', path)).status, 0)
    const staging = join(`${path}.import`, 'domains')
    const files = async () => (await readdir(staging, { recursive: true }).catch(() => [])).length
    // Before the first domain is written, with some written, and with all but the end of the file.
    for (const [share, written] of [
      [0.1, 0],
      [0.7, 1],
      [0.99, 3],
    ] as const) {
      const part = data.subarray(0, Math.floor(data.length * share))
      await rm(`${path}.import`, { recursive: true, force: true })
      await killImport(['--store-dir', path, '--replace'], part, async () => (await files()) >= SHARDS + written)
      assert.ok((await domainsIn(path)).includes('sports'))
      assert.equal((await athenz('export', '-', '--store-dir', path)).stdout, await readFile(small, 'utf8'))
    }
    const again = await athenz('import', small, '--store-dir', path, '--replace')
    assert.equal(again.status, 0, again.stderr)
    assert.match(again.stderr, /^the former data are in .*\.replaced-\d{8}T\d{6}Z\n\d+ rows imported\n$/)
    assert.equal((await athenz('export', '-', '--store-dir', path)).stdout, await readFile(small, 'utf8'))
  })

  test('that is killed leaves a database as it was, and can be run again', async () => {
    const copy = await db.freshDatabase(ZMS_SCHEMA)
    const former = await dumpOf(db, copy)
    // More rows than are kept before they are written.
    const lines = data.toString().split('\n')
    const crowd = Array.from({ length: 20_000 }, (_, index) =>
      JSON.stringify({ principal: { principal_id: 1_000_000 + index, name: `crowd.m${index}`, system_suspended: 0 } }),
    )
    const part = Buffer.from(`${[lines[0], ...crowd].join('\n')}\n`)
    const isWriting = async () => {
      const [row] = await db.query<{ n: number }>(
        'SELECT COUNT(*) AS n FROM information_schema.INNODB_TRX WHERE trx_rows_modified > 1000',
      )
      return (row?.n ?? 0) > 0
    }
    await killImport(['--mysql-url', db.url(copy)], part, isWriting)
    await until(async () => !(await isWriting()))
    assert.deepEqual(await dumpOf(db, copy), former)
    const again = await athenz('import', join(folder, 'data.jsonl'), '--mysql-url', db.url(copy))
    assert.equal(again.status, 0, again.stderr)
    assert.deepEqual(await dumpOf(db, copy), await dumpOf(db, database))
  })
})
