import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openFileStore } from '#zms/store/file/file-store.ts'
import { SimulatedFileSystem } from '../../../support/simulated-file-system.ts'
import { randomFrom } from '../mysql/random-changes.ts'
import { emptyDomain } from '../suite/samples.ts'

const open = (clock: () => number, fileSystem = new SimulatedFileSystem(randomFrom(1))) =>
  openFileStore({ folder: '/data/store', fileSystem, clock })

const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}

describe('stamps of a file store', () => {
  test('let nobody miss a change who asks for those since the latest seen', async () => {
    // The clock stands still most of the time, as it does between transactions of one millisecond.
    let calls = 0
    const store = await open(() => 1_800_000_000_000 + Math.floor(calls++ / 50))
    const names = Array.from({ length: 12 }, (_, index) => `domain${index}`)
    for (const domain of names) {
      await store.transact([domain], (transaction) =>
        transaction.apply({ kind: 'createDomain', domain, value: emptyDomain(domain) }),
      )
    }
    const random = randomFrom(9)
    const state = { writing: true }
    const writers = Promise.all(
      names.map(async (domain) => {
        for (let count = 0; count < 40; count++) {
          await store.transact([domain], async (transaction) => {
            transaction.apply({ kind: 'touchDomain', domain })
            // Some decide at once, some while others come and go.
            await turns(Math.floor(random() * 6))
          })
        }
      }),
    ).finally(() => {
      state.writing = false
    })
    const seen = new Map<string, number>()
    let latest = 0
    const poll = async () => {
      for (const { name, modified } of await store.modifiedDomains(latest + 1)) {
        seen.set(name, modified)
        latest = Math.max(latest, modified)
      }
    }
    while (state.writing) {
      await poll()
      await turns(1)
    }
    await writers
    await poll()
    const actual = await store.modifiedDomains(0)
    assert.deepEqual(seen, new Map(actual.map(({ name, modified }) => [name, modified])))
    await store.close()
  })

  test('go on when the clock jumps back, also over a restart', async () => {
    let now = 1_800_000_000_000
    const fileSystem = new SimulatedFileSystem(randomFrom(1))
    let store = await open(() => now, fileSystem)
    const touch = async () => {
      await store.transact(['sports'], (transaction) => transaction.apply({ kind: 'touchDomain', domain: 'sports' }))
      return (await store.modifiedDomains(0))[0]?.modified
    }
    await store.transact(['sports'], (transaction) =>
      transaction.apply({ kind: 'createDomain', domain: 'sports', value: emptyDomain('sports') }),
    )
    assert.equal(await touch(), now + 1)
    now -= 3_600_000
    assert.equal(await touch(), now + 3_600_002)
    await store.close()
    now -= 3_600_000
    store = await open(() => now, fileSystem)
    assert.equal(await touch(), now + 7_200_003)
    now += 8_000_000
    assert.equal(await touch(), now)
    await store.close()
  })
})
