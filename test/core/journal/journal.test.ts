import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { DamageError } from '#core/journal/damage-error.ts'
import type { Journal } from '#core/journal/journal.ts'
import { reopenJournal } from '#core/journal/reopen-journal.ts'
import { replayJournal } from '#core/journal/replay-journal.ts'
import { SimulatedFileSystem } from '../../support/simulated-file-system.ts'

const FOLDER = '/data/journal'

/** Opens the journal; the changes that it had are added to `found`. */
async function open(fileSystem: SimulatedFileSystem, found: object[] = []): Promise<Journal> {
  await fileSystem.makeFolder(FOLDER)
  const options = { folder: FOLDER, fileSystem, known: Number.POSITIVE_INFINITY }
  const replay = await replayJournal(options, ({ changes }) => found.push(...changes))
  return reopenJournal({ ...options, replay, log: () => {} })
}

const append = (journal: Journal, number: number) =>
  journal.append({ at: number, changes: JSON.stringify([{ number }]), durable: () => {} })

/** What a crash leaves, in turn. */
function* lotsOf(pattern: readonly number[]): Generator<number, number> {
  for (;;) yield* pattern
}

describe('a journal', () => {
  test('gives back what was appended, in its order, over several files', async () => {
    const fileSystem = new SimulatedFileSystem(() => 0.3)
    const journal = await open(fileSystem)
    await Promise.all([1, 2, 3].map((number) => append(journal, number)))
    await journal.rotate()
    await append(journal, 4)
    await journal.close()
    const found: object[] = []
    await (await open(fileSystem.restart(), found)).close()
    assert.deepEqual(found, [{ number: 1 }, { number: 2 }, { number: 3 }, { number: 4 }])
  })

  test('has all that follows when a crash interrupts the removal of several files', async () => {
    for (let crashAt = 1; ; crashAt++) {
      for (const pattern of [[0.1], [0.6], [0.1, 0.6], [0.6, 0.1], [0.1, 0.1, 0.6]]) {
        const lots = lotsOf(pattern)
        const fileSystem = new SimulatedFileSystem(() => lots.next().value)
        const journal = await open(fileSystem)
        for (const number of [1, 2, 3]) {
          await append(journal, number)
          await journal.rotate()
        }
        await append(journal, 4)
        const start = fileSystem.operations
        fileSystem.faultAt = (operation) => (operation === start + crashAt ? 'crash' : undefined)
        const whole = await journal.removeBefore(4).then(
          () => true,
          () => false,
        )
        const found: object[] = []
        await (await open(fileSystem.restart(), found)).close()
        assert.deepEqual(found.at(-1), { number: 4 }, `crash at ${crashAt}`)
        if (whole) return
      }
    }
  })

  test('in which a file in the middle is missing is damaged', async () => {
    const fileSystem = new SimulatedFileSystem(() => 0.3)
    const journal = await open(fileSystem)
    for (const number of [1, 2, 3]) {
      await append(journal, number)
      await journal.rotate()
    }
    await journal.close()
    await fileSystem.remove(`${FOLDER}/00000002.journal`)
    await assert.rejects(open(fileSystem), (error: unknown) => {
      assert.ok(error instanceof DamageError, String(error))
      assert.match(error.message, /the journal file 2 before it is missing/)
      return true
    })
  })
})
