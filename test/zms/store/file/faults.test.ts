import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openFileStore } from '#zms/store/file/file-store.ts'
import type { Store } from '#zms/store/store.ts'
import { fileError, SimulatedFileSystem } from '../../../support/simulated-file-system.ts'
import { randomFrom } from '../mysql/random-changes.ts'
import { everything } from '../suite/everything.ts'
import { failure } from '../suite/fixture.ts'
import { emptyDomain } from '../suite/samples.ts'
import { commit, steadyClock, workload } from './workload.ts'

const FOLDER = '/data/store'
const STEPS = workload(11, 24)
const unavailable = failure('unavailable', 'The change could not be stored')

const openOn = (fileSystem: SimulatedFileSystem, lines: string[] = [], checkpointBytes = 6000) =>
  openFileStore({
    folder: FOLDER,
    fileSystem,
    clock: steadyClock(),
    checkpointBytes,
    log: (level, message) => lines.push(`${level} ${message}`),
  })

const put = (store: Store, name: string, value: string) =>
  store.transact(['sports'], (transaction) =>
    transaction.apply({ kind: 'putEntity', domain: 'sports', value: { name, value } }),
  )

/** A store with one domain. */
async function opened(checkpointBytes?: number) {
  const fileSystem = new SimulatedFileSystem(randomFrom(3))
  const lines: string[] = []
  const store = await openOn(fileSystem, lines, checkpointBytes)
  await store.transact(['sports'], (transaction) =>
    transaction.apply({ kind: 'createDomain', domain: 'sports', value: emptyDomain('sports') }),
  )
  return { fileSystem, store, lines }
}

describe('a file store on a disk that fails', () => {
  for (const code of ['EIO', 'ENOSPC']) {
    test(`once at any operation (${code}) refuses that change alone, and goes on`, async () => {
      const quiet = new SimulatedFileSystem(randomFrom(1))
      const first = await openOn(quiet)
      const opening = quiet.operations
      for (const step of STEPS) await commit(first, step)
      await first.close()
      let refused = 0
      for (let failing = opening + 1; failing <= quiet.operations; failing++) {
        const fileSystem = new SimulatedFileSystem(randomFrom(failing))
        const store = await openOn(fileSystem)
        fileSystem.faultAt = (operation, name, path) =>
          operation === failing && name !== 'readFile' ? fileError(code, path) : undefined
        for (const step of STEPS) {
          const before = await everything(store)
          await commit(store, step).catch(async (error: unknown) => {
            unavailable(error)
            refused += 1
            assert.deepEqual(await everything(store), before)
          })
        }
        const live = await everything(store)
        await store.close()
        const again = await openOn(fileSystem.restart())
        assert.deepEqual(await everything(again), live, `failure at operation ${failing}`)
        await again.close()
      }
      assert.ok(refused > 20)
    })
  }

  test('once at any operation while it opens says so, and opens the next time', async () => {
    const source = new SimulatedFileSystem(randomFrom(3))
    const store = await openOn(source)
    for (const step of STEPS) await commit(store, step)
    const expected = await everything(store)
    await store.close()
    const whole = source.restart()
    const before = whole.operations
    await (await openOn(whole)).close()
    let refused = 0
    for (let failing = 1; failing <= whole.operations - before; failing++) {
      const fileSystem = whole.restart()
      fileSystem.faultAt = (operation, name, path) =>
        operation === failing && name !== 'write' ? fileError('EIO', path) : undefined
      const outcome = await openOn(fileSystem).catch((error: unknown) => error)
      if (outcome instanceof Error) {
        refused += 1
        assert.match(outcome.message, /EIO/)
      } else await (outcome as Store).close()
      fileSystem.faultAt = () => undefined
      const again = await openOn(fileSystem)
      assert.deepEqual(await everything(again), expected)
      await again.close()
    }
    assert.ok(refused > 20)
  })

  test('that is full refuses changes until there is room, answers reads, and tells its health', async () => {
    const { fileSystem, store, lines } = await opened()
    fileSystem.capacity = 4000
    let stored = 0
    await assert.rejects(async () => {
      for (;;) {
        await put(store, `e${stored}`, '"some value"')
        stored += 1
      }
    }, unavailable)
    assert.ok(stored > 0)
    await assert.rejects(put(store, 'refused', 'x'.repeat(5000)), unavailable)
    assert.equal(store.domain('sports')?.entities.size, stored)
    assert.equal(store.domain('sports')?.entities.has('refused'), false)
    fileSystem.capacity = 0
    assert.equal(await store.check(), false)
    fileSystem.capacity = Number.POSITIVE_INFINITY
    assert.equal(await store.check(), true)
    await put(store, 'later', '{}')
    const live = await everything(store)
    const again = await openOn(fileSystem.restart())
    assert.deepEqual(await everything(again), live)
    await again.close()
    assert.deepEqual(lines, [])
  })

  test('leaves nothing of a change that did not fit', async () => {
    const { fileSystem, store } = await opened()
    fileSystem.capacity = 4000
    await assert.rejects(put(store, 'refused', 'x'.repeat(5000)), unavailable)
    await put(store, 'small', '{}')
    const live = await everything(store)
    const lines: string[] = []
    const again = await openOn(fileSystem.copy(), lines)
    assert.deepEqual(await everything(again), live)
    assert.deepEqual(lines, [])
    await again.close()
  })

  test('that does not confirm writes loses none of those it confirmed, and shows none that it did not', async () => {
    const { fileSystem, store, lines } = await opened()
    await put(store, 'confirmed', '1')
    fileSystem.faultAt = (_, name, path) => (name === 'sync' ? fileError('EIO', path) : undefined)
    for (let attempt = 0; attempt < 3; attempt++) {
      await assert.rejects(put(store, 'unconfirmed', String(attempt)), unavailable)
      assert.equal(await store.check(), false)
    }
    assert.deepEqual([...(store.domain('sports')?.entities.keys() ?? [])], ['confirmed'])
    fileSystem.faultAt = () => undefined
    assert.equal(await store.check(), true)
    await put(store, 'later', '2')
    const live = await everything(store)
    const again = await openOn(fileSystem.restart())
    assert.deepEqual(await everything(again), live)
    await again.close()
    assert.match(lines.join('\n'), /00000001\.journal is left and a new journal file begun: EIO/)
  })

  test('and did not confirm a write is rid of that file of the journal as soon as it can write', async () => {
    const { fileSystem, store } = await opened()
    await put(store, 'before', '1')
    fileSystem.faultAt = (_, name, path) => (name === 'sync' ? fileError('EIO', path) : undefined)
    await assert.rejects(put(store, 'refused', '2'), unavailable)
    fileSystem.faultAt = () => undefined
    await put(store, 'after', '3')
    await store.settled()
    const [only, ...others] = await fileSystem.list(`${FOLDER}/journal`)
    assert.deepEqual(others, [])
    assert.notEqual(only, '00000001.journal')
    const live = await everything(store)
    const again = await openOn(fileSystem.restart())
    assert.deepEqual(await everything(again), live)
    await again.close()
  })

  test('while documents are written keeps the journal, and writes them later', async () => {
    const { fileSystem, store, lines } = await opened(2000)
    // Not touched again: its document is still to be written when the others are.
    await store.transact(['once'], (transaction) =>
      transaction.apply({ kind: 'createDomain', domain: 'once', value: emptyDomain('once') }),
    )
    fileSystem.faultAt = (_, name, path) =>
      path.endsWith('.tmp') && name === 'write' ? fileError('EIO', path) : undefined
    for (let index = 0; index < 40; index++) await put(store, `e${index}`, '"some value that takes room"')
    const live = await everything(store)
    assert.match(lines.join('\n'), /checkpoint: EIO/)
    const again = await openOn(fileSystem.copy())
    assert.deepEqual(await everything(again), live)
    await again.close()
    fileSystem.faultAt = () => undefined
    for (let index = 0; index < 40; index++) await put(store, `f${index}`, '"some value that takes room"')
    const later = await everything(store)
    await store.close()
    assert.equal((await fileSystem.list(`${FOLDER}/journal`)).length, 1)
    const last = await openOn(fileSystem)
    assert.deepEqual(await everything(last), later)
    await last.close()
  })

  test('refuses changes after it was closed', async () => {
    const { store } = await opened()
    await store.close()
    await assert.rejects(put(store, 'late', '1'), failure('unavailable'))
    assert.equal(await store.check(), false)
    await store.close()
  })

  test('closes only when what was begun is stored', async () => {
    const { fileSystem, store } = await opened()
    const writes = Array.from({ length: 20 }, (_, index) => put(store, `e${index}`, '1'))
    await store.close()
    assert.equal((await Promise.allSettled(writes)).filter(({ status }) => status === 'fulfilled').length, 20)
    const again = await openOn(fileSystem.restart())
    assert.equal(again.domain('sports')?.entities.size, 20)
    await again.close()
  })
})
