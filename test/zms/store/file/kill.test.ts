import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { openFileStore } from '#zms/store/file/file-store.ts'
import { startProgram } from '../../../support/program.ts'
import { temporaryFolder } from '../../../support/temporary-folder.ts'
import { check, prepare, WRITERS } from './kill-writers.ts'

const CHILD = join(import.meta.dirname, 'kill-child.ts')
const KILLS = Number(process.env['KILLS'] ?? 200)
/** Stores that are written and killed side by side. */
const LANES = 4
/** Longest life of a writing process behind its start, in milliseconds. */
const LIFE_MILLIS = 100

const startWriting = (folder: string) =>
  startProgram(process.execPath, ['--disable-warning=ExperimentalWarning', CHILD, folder, `${folder}.acknowledged`])

/** Lets a process write until it is killed; gives the number of the last acknowledged transaction of each writer. */
async function writeUntilKilled(folder: string): Promise<number[]> {
  const program = startWriting(folder)
  const ready = program.line()
  // Now and then it is killed while it starts.
  const early = randomInt(8) === 0
  if (!early) assert.equal(await ready, 'ready')
  await delay(early ? randomInt(150) : randomInt(LIFE_MILLIS))
  program.kill('SIGKILL')
  await Promise.allSettled([ready])
  const { signal, status } = await program.ended
  assert.deepEqual([signal, status, program.stderr()], ['SIGKILL', null, ''])
  const last = Array.from({ length: WRITERS }, () => 0)
  const notes = await readFile(`${folder}.acknowledged`, 'utf8').catch(() => '')
  for (const line of notes.split('\n').slice(0, -1)) {
    const [writer, number] = line.split(' ').map(Number) as [number, number]
    last[writer] = number
  }
  return last
}

describe('a file store whose process is killed', () => {
  test(`has all that was acknowledged, ${KILLS} times, and is whole`, { timeout: KILLS * 5000 }, async (context) => {
    let [kills, transactions] = [0, 0]
    const lane = async () => {
      const folder = join(temporaryFolder(), 'store')
      const fresh = await openFileStore({ folder })
      await prepare(fresh)
      await fresh.close()
      let before = Array.from({ length: WRITERS }, () => 0)
      while (kills < KILLS) {
        kills += 1
        const acknowledged = await writeUntilKilled(folder)
        const store = await openFileStore({ folder })
        const stored = await check(store)
        for (const [writer, number] of stored.entries()) {
          const told = Math.max(acknowledged[writer] as number, before[writer] as number)
          assert.ok(number === told || number === told + 1, `writer ${writer} was told of ${told}, stored is ${number}`)
          transactions += number - (before[writer] as number)
        }
        before = stored
        await store.close()
      }
    }
    await Promise.all(Array.from({ length: LANES }, lane))
    context.diagnostic(`${kills} kills, ${transactions} transactions`)
  })
})

describe('the lock of a file store', () => {
  test('lets one of several processes in that start at the same moment, and the next one when that is killed', async () => {
    const folder = join(temporaryFolder(), 'store')
    const fresh = await openFileStore({ folder })
    await prepare(fresh)
    await fresh.close()
    for (let round = 0; round < 3; round++) {
      const programs = Array.from({ length: 4 }, () => startWriting(folder))
      const outcomes = await Promise.allSettled(programs.map((program) => program.line()))
      const winners = programs.filter((_, index) => outcomes[index]?.status === 'fulfilled')
      assert.equal(winners.length, 1)
      await assert.rejects(openFileStore({ folder }), /store is in use by another process$/)
      for (const program of programs.filter((each) => !winners.includes(each))) {
        assert.match(program.stderr(), /is in use by another process/)
      }
      for (const program of winners) {
        program.kill('SIGKILL')
        if (program.process.exitCode === null && program.process.signalCode === null)
          await once(program.process, 'exit')
      }
    }
    const store = await openFileStore({ folder })
    await check(store)
    await store.close()
  })

  test('keeps a second store of the same process out, until the first is closed', async () => {
    const folder = join(temporaryFolder(), 'store')
    const store = await openFileStore({ folder })
    await assert.rejects(openFileStore({ folder }), /in use/)
    await store.close()
    await (await openFileStore({ folder })).close()
  })
})
