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

const FILE = `${FOLDER}/00000001.journal`

/** What may be behind the last record of a file, which has so many bytes. */
const LEFT_IN_THE_ROOM: readonly (readonly [title: string, change: (content: Buffer, bytes: number) => Buffer])[] = [
  ['zeros', (content) => content],
  ['nothing', (content, bytes) => content.subarray(0, bytes)],
  ['the beginning of a record', (content, bytes) => (content.write('batch 2 4', bytes), content)],
  ['the end of one', (content, bytes) => (content.write('"number":2}]}\n', bytes + 512), content)],
]

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

  test('has all that it confirmed when the file system gives up in the middle of a write', async () => {
    for (let abortAt = 1; ; abortAt++) {
      const fileSystem = new SimulatedFileSystem(() => 0.1)
      const journal = await open(fileSystem)
      const start = fileSystem.operations
      fileSystem.faultAt = (operation) => (operation === start + abortAt ? 'abort' : undefined)
      const confirmed: object[] = []
      for (const number of [1, 2, 3]) {
        await append(journal, number).then(
          () => confirmed.push({ number }),
          (error: unknown) => assert.match(String(error), /The change could not be stored/),
        )
      }
      const isWhole = fileSystem.operations < start + abortAt
      const found: object[] = []
      await (await open(fileSystem.restart(), found)).close()
      assert.deepEqual(found.slice(0, confirmed.length), confirmed, `abort at ${abortAt}`)
      if (isWhole) return
    }
  })

  test('leaves no room behind its end when it is closed', async () => {
    const fileSystem = new SimulatedFileSystem(() => 0.3)
    const journal = await open(fileSystem)
    await append(journal, 1)
    assert.equal((await fileSystem.readFile(FILE)).at(-1), 0)
    await journal.close()
    assert.match((await fileSystem.readFile(FILE)).toString(), /\nend 1 0 [0-9a-f]{8}\n$/)
  })

  test('goes on behind its last whole record, whatever a crash has left in the room behind it', async () => {
    const lost: string[] = []
    for (const [title, change] of LEFT_IN_THE_ROOM) {
      const fileSystem = new SimulatedFileSystem(() => 0.3)
      const journal = await open(fileSystem)
      await append(journal, 1)
      const { bytes } = journal
      const left = fileSystem.restart()
      left.damage(FILE, (content) => change(content, bytes))
      const again = await open(left)
      await append(again, 2)
      const found: object[] = []
      await (await open(left.restart(), found)).close()
      if (found.length !== 2) lost.push(`${title}: ${JSON.stringify(found)}`)
    }
    assert.deepEqual(lost, [])
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
