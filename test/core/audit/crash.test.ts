import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fileError, SimulatedFileSystem } from '../../support/simulated-file-system.ts'
import { randomFrom } from '../../zms/store/mysql/random-changes.ts'
import { entitiesOf, entryOf, NOON, openLog, recordingLog, verifyLog } from './support.ts'

const DAY_MILLIS = 86_400_000
/** Small enough for several files. */
const MAX_FILE_BYTES = 2500
const ROUNDS = 8
const TOGETHER = 3

/** Records changes, some of them together, over three days and a restart; gives the numbers that were acknowledged. */
async function run(fileSystem: SimulatedFileSystem): Promise<number[]> {
  const acknowledged: number[] = []
  let now = NOON
  const open = () => openLog({ fileSystem, maxFileBytes: MAX_FILE_BYTES, retainDays: 1, now: () => now })
  try {
    let log = await open()
    for (let round = 0; round < ROUNDS; round++) {
      const numbers = Array.from({ length: TOGETHER }, (_, index) => round * TOGETHER + index)
      await Promise.all(
        numbers.map(async (number) => {
          await log.record(entryOf(number))
          if (log.problem() === undefined) acknowledged.push(number)
        }),
      )
      if (round === 4) {
        await log.close()
        log = await open()
      }
      if (round % 3 === 2) now += DAY_MILLIS
    }
    await log.close()
  } catch {
    // The crash.
  }
  return acknowledged
}

/** Numbers of the changes in a log. */
const numbersIn = async (fileSystem: SimulatedFileSystem): Promise<number[]> =>
  (await entitiesOf(fileSystem)).map((entity) => Number(entity.slice('role'.length)))

describe('an audit log on a machine that crashes', () => {
  for (const seed of (process.env['CRASH_SEEDS'] ?? '1,2,3').split(',').map(Number)) {
    test(`at any operation has all acknowledged changes, goes on, and verifies (seed ${seed})`, async (context) => {
      const calm = new SimulatedFileSystem(randomFrom(seed))
      const all = await run(calm)
      assert.equal(all.length, ROUNDS * TOGETHER)
      let torn = 0
      for (let crash = 1; crash <= calm.operations; crash++) {
        const what = `crash at operation ${crash}`
        const fileSystem = new SimulatedFileSystem(randomFrom(seed * 100_000 + crash))
        fileSystem.faultAt = (operation) => (operation === crash ? 'crash' : undefined)
        const acknowledged = await run(fileSystem)

        const left = fileSystem.restart()
        const { lines, log: serverLog } = recordingLog()
        const log = await openLog({ fileSystem: left, log: serverLog, maxFileBytes: MAX_FILE_BYTES })
        await log.record(entryOf(1000))
        await log.close()
        assert.deepEqual(
          lines.filter(({ level }) => level !== 'warn'),
          [],
          what,
        )
        torn += lines.length
        const found = await numbersIn(left)
        assert.equal(found.at(-1), 1000, what)
        // Retention takes whole days from the beginning.
        const first = found[0] ?? 0
        const missing = acknowledged.filter((number) => number >= first && !found.includes(number))
        assert.deepEqual(missing, [], what)
        assert.ok(first === 1000 || first <= 18, what)
        assert.deepEqual(
          found,
          found.toSorted((a, b) => a - b),
          what,
        )
        const report = await verifyLog(left).catch((error: unknown) => assert.fail(`${what}: ${String(error)}`))
        assert.equal(report.changes, found.length, what)
      }
      context.diagnostic(`${calm.operations} crashes, ${torn} torn ends`)
      assert.ok(torn > 0)
    })

    test(`while its disk also fails: tells of every change that it lacks (seed ${seed})`, async () => {
      const calm = new SimulatedFileSystem(randomFrom(seed))
      await run(calm)
      for (let fault = 1; fault <= calm.operations; fault++) {
        const what = `failure of operation ${fault}`
        const fileSystem = new SimulatedFileSystem(randomFrom(seed * 200_000 + fault))
        fileSystem.faultAt = (operation, _, path) => (operation === fault ? fileError('EIO', path) : undefined)
        const { lines, log: serverLog } = recordingLog()
        const told = () =>
          lines.flatMap(({ audit }) => {
            const match = /WHAT-entity=\(role(\d+)\)/.exec(String(audit))
            return match ? [Number(match[1])] : []
          })
        const acknowledged: number[] = []
        try {
          const log = await openLog({ fileSystem, log: serverLog, maxFileBytes: MAX_FILE_BYTES, retryMillis: 1 })
          for (let number = 0; number < 6; number++) {
            await log.record(entryOf(number))
            acknowledged.push(number)
          }
          await log.close()
        } catch (error) {
          assert.deepEqual([(error as NodeJS.ErrnoException).code, acknowledged], ['EIO', []], what)
        }
        const left = fileSystem.restart()
        const log = await openLog({ fileSystem: left, maxFileBytes: MAX_FILE_BYTES })
        await log.close()
        const found = await numbersIn(left)
        const untold = acknowledged.filter((number) => !found.includes(number) && !told().includes(number))
        assert.deepEqual(untold, [], what)
        await verifyLog(left).catch((error: unknown) => assert.fail(`${what}: ${String(error)}`))
      }
    })
  }
})
