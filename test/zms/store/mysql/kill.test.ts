import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { type MariaDb, startMariaDb } from '../../../support/mariadb.ts'
import { openStore } from '../../../support/mysql-store.ts'
import { startProgram } from '../../../support/program.ts'
import { temporaryFolder } from '../../../support/temporary-folder.ts'
import { check, prepare, WRITERS } from '../file/kill-writers.ts'

const CHILD = join(import.meta.dirname, 'kill-child.ts')
const KILLS = Number(process.env['KILLS'] ?? 50)
/** Longest life of the writing processes behind their start, in milliseconds. */
const LIFE_MILLIS = 200
/** One kill of so many takes the database with it. */
const KILLS_PER_CRASH = 5

/** Two servers that write to one database, each some of the writers. */
const SHARES = [
  [0, 2, 4, 6],
  [1, 3, 5, 7],
] as const

/** Lets two processes write until both are killed; gives the last acknowledged transaction of each writer. */
async function writeUntilKilled(db: MariaDb, database: string, notes: string): Promise<number[]> {
  const programs = SHARES.map((writers) =>
    startProgram(process.execPath, [
      '--disable-warning=ExperimentalWarning',
      CHILD,
      String(db.port),
      database,
      notes,
      ...writers.map(String),
    ]),
  )
  for (const program of programs) assert.equal(await program.line(), 'ready')
  await delay(randomInt(LIFE_MILLIS))
  for (const program of programs) program.kill('SIGKILL')
  if (randomInt(KILLS_PER_CRASH) === 0) {
    await db.crash()
    await db.restart()
  }
  for (const program of programs) {
    const { signal, status } = await program.ended
    assert.deepEqual([signal, status, program.stderr()], ['SIGKILL', null, ''])
  }
  const last = Array.from({ length: WRITERS }, () => 0)
  for (const line of (await readFile(notes, 'utf8')).split('\n').slice(0, -1)) {
    const [writer, number] = line.split(' ').map(Number) as [number, number]
    last[writer] = number
  }
  return last
}

/** Waits until the database has noticed that those who were killed are gone, with whatever it still did for them. */
async function untilAlone(db: MariaDb, database: string): Promise<void> {
  const others = 'SELECT id FROM information_schema.processlist WHERE db = ?'
  while ((await db.query(others, [database])).length > 0);
}

test(`a database whose servers are killed has all that was acknowledged, ${KILLS} times, and is whole`, {
  timeout: KILLS * 10_000,
}, async (context) => {
  await using db = await startMariaDb({ durable: true })
  const database = await db.freshDatabase('schema/zms_server.sql')
  const notes = join(temporaryFolder(), 'acknowledged')
  const fresh = openStore(db, database)
  await prepare(fresh)
  await fresh.close()
  let before = Array.from({ length: WRITERS }, () => 0)
  let transactions = 0
  for (let kill = 1; kill <= KILLS; kill++) {
    const acknowledged = await writeUntilKilled(db, database, notes)
    await untilAlone(db, database)
    const store = openStore(db, database)
    const stored = await check(store)
    for (const [writer, number] of stored.entries()) {
      const told = Math.max(acknowledged[writer] as number, before[writer] as number)
      assert.ok(number === told || number === told + 1, `writer ${writer} was told of ${told}, stored is ${number}`)
      transactions += number - (before[writer] as number)
    }
    before = stored
    await store.close()
  }
  assert.ok(transactions > KILLS, `only ${transactions} transactions`)
  context.diagnostic(`${KILLS} kills, ${transactions} transactions`)
})
