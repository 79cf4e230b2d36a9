import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openFileStore } from '#zms/store/file/file-store.ts'
import type { Domain } from '#zms/store/model.ts'
import { SimulatedFileSystem } from '../../../support/simulated-file-system.ts'
import { RandomChanges, randomFrom } from '../mysql/random-changes.ts'
import { everything } from '../suite/everything.ts'

const SEEDS = (process.env['ROUND_TRIP_SEEDS'] ?? '1,2,3,4').split(',').map(Number)
const DOMAINS = ['sports', 'weather']

/** Assertions of a domain with their places. */
const assertionsOf = (domain: Domain | undefined) =>
  [...(domain?.policies.values() ?? [])].flatMap((versions) =>
    [...versions.values()].flatMap(({ name, version, assertions }) =>
      [...assertions.keys()].map((id) => ({ policy: name, version, id })),
    ),
  )

describe('what a file store reads from its files', () => {
  for (const seed of SEEDS) {
    // The journal alone, documents alone, and both.
    for (const checkpointBytes of [Number.POSITIVE_INFINITY, 1, 20_000]) {
      test(`is what it had in memory (seed ${seed}, documents after ${checkpointBytes} bytes)`, async () => {
        const fileSystem = new SimulatedFileSystem(randomFrom(seed))
        const open = () => openFileStore({ folder: '/data/store', fileSystem, checkpointBytes })
        const random = new RandomChanges(randomFrom(seed))
        let store = await open()
        for (const domain of DOMAINS) {
          await store.transact([domain], (transaction) =>
            transaction.apply({ kind: 'createDomain', domain, value: random.domain(domain, `id-${domain}`) }),
          )
        }
        for (let round = 0; round < 60; round++) {
          await store.transact(DOMAINS, async (transaction) => {
            for (const domain of DOMAINS) {
              const ids = assertionsOf(await transaction.domain(domain))
              const count = random.below(6)
              for (let index = 0; index < count; index++) transaction.apply(random.change(domain, `id-${domain}`, ids))
              if (random.below(12) === 0) transaction.apply(...random.crowd(domain))
            }
          })
          if (round % 10 !== 9) continue
          const before = await everything(store)
          await store.close()
          store = await open()
          assert.deepEqual(await everything(store), before, `round ${round}`)
        }
        await store.close()
      })
    }
  }
})
