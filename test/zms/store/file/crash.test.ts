import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { openFileStore } from '#zms/store/file/file-store.ts'
import type { Store } from '#zms/store/store.ts'
import { SimulatedFileSystem } from '../../../support/simulated-file-system.ts'
import { randomFrom } from '../mysql/random-changes.ts'
import { everything } from '../suite/everything.ts'
import { commit, type Step, steadyClock, workload } from './workload.ts'

const LENGTH = 24
/** Small enough for several checkpoints in a workload. */
const CHECKPOINT_BYTES = 6000

const openOn = (fileSystem: SimulatedFileSystem, clock = steadyClock()): Promise<Store> =>
  openFileStore({ folder: '/data/store', fileSystem, clock, checkpointBytes: CHECKPOINT_BYTES })

/** Runs a workload as far as it comes; gives the number of acknowledged transactions. */
async function run(fileSystem: SimulatedFileSystem, steps: readonly Step[]): Promise<number> {
  let acknowledged = 0
  try {
    const store = await openOn(fileSystem)
    for (const step of steps) {
      await commit(store, step)
      acknowledged += 1
    }
    await store.close()
  } catch {
    // The crash.
  }
  return acknowledged
}

/** What is stored after each number of transactions, and how many operations of the file system all of them take. */
async function undisturbed(steps: readonly Step[]): Promise<{ states: unknown[]; operations: number }> {
  const fileSystem = new SimulatedFileSystem(randomFrom(1))
  const store = await openOn(fileSystem)
  const states = [await everything(store)]
  for (const step of steps) {
    await commit(store, step)
    states.push(await everything(store))
  }
  await store.close()
  return { states, operations: fileSystem.operations }
}

/** Asserts that the store holds the first transactions, all that were acknowledged and perhaps the one after them. */
async function assertHolds(
  store: Store,
  states: readonly unknown[],
  acknowledged: number,
  what: string,
): Promise<number> {
  const found = await everything(store)
  const [expected, next] = [states[acknowledged], states[acknowledged + 1]]
  if (next !== undefined && isDeepStrictEqual(found, next)) return acknowledged + 1
  assert.deepEqual(found, expected, what)
  return acknowledged
}

describe('a file store on a machine that crashes', () => {
  for (const seed of (process.env['CRASH_SEEDS'] ?? '1').split(',').map(Number)) {
    test(`at any operation has all acknowledged transactions, whole, and goes on (seed ${seed})`, async () => {
      const steps = workload(seed, LENGTH)
      const { states, operations } = await undisturbed(steps)
      for (let crash = 1; crash <= operations; crash++) {
        const what = `crash at operation ${crash}`
        const fileSystem = new SimulatedFileSystem(randomFrom(seed * 100_000 + crash))
        fileSystem.faultAt = (operation) => (operation === crash ? 'crash' : undefined)
        const acknowledged = await run(fileSystem, steps)

        const left = fileSystem.restart()
        const clock = steadyClock()
        const store = await openOn(left, clock)
        const held = await assertHolds(store, states, acknowledged, what)
        const next = steps[held]
        if (next) await commit(store, next)
        const before = await everything(store)
        await store.close()

        const again = await openOn(left.restart(), clock)
        assert.deepEqual(await everything(again), before, what)
        await again.close()
      }
    })

    test(`again while it recovers loses nothing either (seed ${seed})`, async () => {
      const steps = workload(seed, LENGTH)
      const { states, operations } = await undisturbed(steps)
      for (let crash = 1; crash <= operations; crash += 5) {
        const random = randomFrom(seed * 200_000 + crash)
        const first = new SimulatedFileSystem(random)
        first.faultAt = (operation) => (operation === crash ? 'crash' : undefined)
        const acknowledged = await run(first, steps)
        let left = first.restart()
        for (let attempt = 0; attempt < 4; attempt++) {
          const at = 1 + Math.floor(random() * 60)
          left.faultAt = (operation) => (operation === at ? 'crash' : undefined)
          await run(left, [])
          left = left.restart()
        }
        const store = await openOn(left)
        await assertHolds(store, states, acknowledged, `crash at operation ${crash}`)
        await store.close()
      }
    })
  }
})
