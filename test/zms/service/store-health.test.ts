import assert from 'node:assert/strict'
import { describe, mock, test } from 'node:test'
import { StoreHealth } from '#zms/service/store-health.ts'

const settle = async () => {
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
}

/** A store that answers as it is told, and its health. */
function world(frequencyMillis: number | undefined) {
  const state = { answer: async (): Promise<boolean> => true, system: true, probes: 0, log: [] as string[] }
  const store = {
    check: () => {
      state.probes++
      return state.answer()
    },
    domain: () => (state.system ? ({} as never) : undefined),
  }
  const log = (level: string, message: string) => state.log.push(`${level} ${message}`)
  return { state, health: new StoreHealth({ store, frequencyMillis, log, deadlineMillis: 1000 }) }
}

mock.timers.enable({ apis: ['setTimeout'] })

describe('StoreHealth', () => {
  test('is not healthy before the first probe', () => assert.equal(world(10_000).health.healthy, false))

  test('is healthy when the store answers', async () => {
    const { health } = world(undefined)
    await health.start()
    assert.equal(health.healthy, true)
  })

  const failures: { what: string; answer?: () => Promise<boolean>; system?: boolean }[] = [
    { what: 'says that it does not work', answer: async () => false },
    { what: 'fails', answer: () => Promise.reject(new Error('no connection')) },
    { what: 'has no system domain', system: false },
  ]
  for (const { what, ...store } of failures) {
    test(`is not healthy when the store ${what}`, async () => {
      const { state, health } = world(undefined)
      Object.assign(state, store)
      await health.start()
      assert.equal(health.healthy, false)
    })
  }

  test('is not healthy when the store does not answer in time', async () => {
    const { state, health } = world(undefined)
    await health.start()
    state.answer = () => new Promise(() => {})
    const probe = health.start()
    mock.timers.tick(1000)
    await probe
    assert.equal(health.healthy, false)
  })

  test('probes now and then, and says when the answer changes', async () => {
    const { state, health } = world(10_000)
    await health.start()
    state.answer = async () => false
    for (let probe = 0; probe < 3; probe++) {
      mock.timers.tick(10_000)
      await settle()
    }
    state.answer = async () => true
    mock.timers.tick(10_000)
    await settle()
    assert.equal(health.healthy, true)
    assert.equal(state.probes, 5)
    assert.deepEqual(state.log, ['info the store answers', 'warn the store does not answer', 'info the store answers'])
    health.close()
  })

  test('probes only once without a frequency, and no more once it is closed', async () => {
    const [single, closed] = [world(undefined), world(10_000)]
    await Promise.all([single.health.start(), closed.health.start()])
    closed.health.close()
    mock.timers.tick(60_000)
    await settle()
    assert.deepEqual([single.state.probes, closed.state.probes], [1, 1])
  })
})
