import assert from 'node:assert/strict'
import { describe, mock, test } from 'node:test'
import { ChangeWatch, type ModifiedDomain } from '#zms/service/change-watch.ts'
import { ModifiedLists } from '#zms/service/modified-lists.ts'
import type { ChangeListener } from '#zms/service/writes.ts'

const TAG = Date.UTC(2030, 0, 1)
const at = (name: string, modified: number): ModifiedDomain => ({ name, modified, enabled: true })

/** A store of stamps only, which counts the questions, and this process's news of changes. */
function world(...stamps: ModifiedDomain[]) {
  const state = { stamps, questions: 0, broken: false, log: [] as string[] }
  const listeners: ChangeListener[] = []
  const store = {
    async modifiedDomains(since: number) {
      state.questions++
      if (state.broken) throw new Error('no connection')
      return state.stamps.filter(({ modified }) => modified >= since).toSorted((a, b) => a.modified - b.modified)
    },
  }
  const writes = { onChange: (listener: ChangeListener) => void listeners.push(listener) }
  const watch = new ChangeWatch(store, writes, { log: (line) => state.log.push(line), maxWaiters: 2 })
  const lists = new ModifiedLists(store, watch)
  const tellOfChange = () => {
    for (const listener of listeners) listener({} as never, [])
  }
  const next = (tag = TAG, patience: { millis?: number; signal?: AbortSignal } = {}) =>
    lists.next(tag, { millis: 30_000, signal: undefined, ...patience })
  return { state, watch, lists, tellOfChange, next }
}

const settle = async () => {
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
}
const names = (modified: readonly ModifiedDomain[] | undefined) => modified?.map(({ name }) => name)

mock.timers.enable({ apis: ['setTimeout'] })

describe('ModifiedLists', () => {
  test('lists what is newer than the tag, and again what was changed in the ten seconds before it', async () => {
    const { next } = world(at('old', TAG - 10_001), at('before', TAG - 10_000), at('known', TAG), at('new', TAG + 1))
    assert.deepEqual(names(await next()), ['before', 'known', 'new'])
  })

  test('tells what it has not told with the tag', async () => {
    const { next } = world(at('known', TAG))
    assert.deepEqual(names(await next()), ['known'])
  })

  test('holds what it has told with the tag', async () => {
    const { next, watch } = world(at('known', TAG))
    await next()
    const held = next()
    await settle()
    assert.equal(watch.waiting, 1)
    mock.timers.tick(30_000)
    assert.deepEqual(await held, [])
    assert.equal(watch.waiting, 0)
  })

  const late: { what: string; stamp: ModifiedDomain }[] = [
    { what: 'a change of the very moment of the tag', stamp: at('late', TAG) },
    { what: 'a change that was stamped before the tag and is seen after it', stamp: at('late', TAG - 9_000) },
  ]
  for (const { what, stamp } of late) {
    test(`tells of ${what}, seen between two requests`, async () => {
      const { state, next } = world(at('known', TAG))
      await next()
      state.stamps.push(stamp)
      assert.deepEqual(names(await next())?.toSorted(), ['known', 'late'])
    })

    test(`tells of ${what}, seen while a request waits`, async () => {
      const { state, next } = world(at('known', TAG))
      await next()
      const held = next()
      await settle()
      state.stamps.push(stamp)
      mock.timers.tick(500)
      assert.deepEqual(names(await held)?.toSorted(), ['known', 'late'])
    })
  }

  test('tells when the domain of the tag is gone', async () => {
    const { state, next } = world(at('before', TAG - 1000), at('known', TAG))
    await next()
    state.stamps.pop()
    assert.deepEqual(names(await next()), ['before'])
  })

  test('misses no change that comes while it begins to wait', async () => {
    const { state, next, tellOfChange } = world(at('known', TAG))
    await next()
    const held = next()
    state.stamps.push(at('new', TAG + 1))
    tellOfChange()
    assert.deepEqual(names(await held), ['known', 'new'])
  })
})

describe('ChangeWatch', () => {
  test('asks one question for all that wait, and none when nobody does', async () => {
    const { state, next, tellOfChange } = world(at('known', TAG))
    await next()
    const held = [next(), next()]
    await settle()
    const before = state.questions
    mock.timers.tick(500)
    await settle()
    assert.equal(state.questions, before + 1)
    mock.timers.tick(30_000)
    await Promise.all(held)
    await settle()
    const after = state.questions
    tellOfChange()
    mock.timers.tick(5_000)
    await settle()
    assert.equal(state.questions, after)
  })

  test('lets no more than so many wait', async () => {
    const { next } = world(at('known', TAG))
    await next()
    const held = [next(), next()]
    await settle()
    assert.equal(await next(), undefined)
    mock.timers.tick(30_000)
    assert.deepEqual(await Promise.all(held), [[], []])
  })

  test('wakes only those for whom there is news', async () => {
    const { state, next, tellOfChange, watch } = world(at('known', TAG))
    await next()
    const [current, ahead] = [next(), next(TAG + 60_000)]
    await settle()
    state.stamps.push(at('new', TAG + 1))
    tellOfChange()
    assert.deepEqual(names(await current), ['known', 'new'])
    assert.equal(watch.waiting, 1)
    mock.timers.tick(30_000)
    assert.deepEqual(await ahead, [])
  })

  test('forgets who gives up', async () => {
    const { next, watch } = world(at('known', TAG))
    await next()
    const client = new AbortController()
    const held = next(TAG, { signal: client.signal })
    await settle()
    client.abort()
    assert.deepEqual(await held, [])
    assert.equal(watch.waiting, 0)
  })

  test('goes on asking a store that does not answer, and says so once', async () => {
    const { state, next } = world(at('known', TAG))
    await next()
    const held = next()
    await settle()
    state.broken = true
    for (let turn = 0; turn < 3; turn++) {
      mock.timers.tick(500)
      await settle()
    }
    assert.deepEqual(state.log, ['changes of domains cannot be seen: Error: no connection'])
    state.broken = false
    state.stamps.push(at('new', TAG + 1))
    mock.timers.tick(500)
    assert.deepEqual(names(await held), ['known', 'new'])
  })
})
