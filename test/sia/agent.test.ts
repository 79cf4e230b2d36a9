import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Pass, type Renewable, SiaAgent } from '#sia/agent.ts'
import type { Validity } from '#sia/renewal-schedule.ts'

const HOUR = 3_600_000
const START = 1_800_000_000_000

class FakeItem implements Renewable {
  readonly kind: Renewable['kind']
  readonly name: string
  readonly lifeMillis: number
  readonly clock: () => number
  current: Validity | undefined
  failure: Error | undefined
  tries = 0

  constructor(kind: Renewable['kind'], name: string, lifeMillis: number, clock: () => number) {
    this.kind = kind
    this.name = name
    this.lifeMillis = lifeMillis
    this.clock = clock
  }

  async validity(): Promise<Validity | undefined> {
    return this.current
  }

  async renew(): Promise<void> {
    this.tries++
    if (this.failure) throw this.failure
    this.current = { fromMillis: this.clock(), untilMillis: this.clock() + this.lifeMillis }
  }
}

function setUp() {
  const time = { now: START }
  const clock = () => time.now
  const service = new FakeItem('service certificate', 'sports.api', 30 * 24 * HOUR, clock)
  const role = new FakeItem('role certificate', 'weather:role.readers', 30 * 24 * HOUR, clock)
  const token = new FakeItem('access token', 'weather/readers', 3 * HOUR, clock)
  const passes: Pass[] = []
  const lines: string[] = []
  const waits: { millis: number; end: () => void }[] = []
  const agent = new SiaAgent({
    items: [service, role, token],
    clock,
    random: () => 0,
    wait: (millis, signal) =>
      new Promise((end, reject) => {
        waits.push({ millis, end })
        signal.addEventListener('abort', () => reject(signal.reason as Error))
      }),
    log: (level, message) => void lines.push(`${level} ${message}`),
    onPass: async (pass) => void passes.push(pass),
  })
  const renewed = async (options = {}) => (await agent.pass(options)).renewed.map(({ kind }) => kind)
  return { time, service, role, token, passes, lines, waits, agent, renewed }
}

const ALL = ['service certificate', 'role certificate', 'access token']

describe('an agent', () => {
  test('gets what is missing, and then what is due', async () => {
    const { renewed, time } = setUp()
    assert.deepEqual(await renewed(), ALL)
    assert.deepEqual(await renewed(), [])
    time.now += HOUR
    assert.deepEqual(await renewed(), ['access token'])
    time.now += 10 * 24 * HOUR
    assert.deepEqual(await renewed(), ALL)
    assert.deepEqual(await renewed({ force: true }), ALL)
  })

  test('gets nothing else before the service has a certificate', async () => {
    const { renewed, service, role, lines, time } = setUp()
    service.failure = new Error('ZTS is away')
    assert.deepEqual(await renewed(), [])
    assert.equal(role.tries, 0)
    assert.deepEqual(lines, [
      'error service certificate sports.api cannot be renewed (failure 1, there is none): ZTS is away',
    ])
    service.failure = undefined
    time.now += 60_000
    assert.deepEqual(await renewed(), ALL)
  })

  test('gets new access tokens with a new certificate', async () => {
    const { renewed, service } = setUp()
    await renewed()
    service.current = undefined
    assert.deepEqual(await renewed(), ['service certificate', 'access token'])
  })

  test('tries again with growing pauses, unless it is told to', async () => {
    const { agent, time, role } = setUp()
    await agent.pass()
    role.failure = new Error('no')
    time.now += 10 * 24 * HOUR
    await agent.pass()
    for (const minutes of [0.99, 0.01, 1.99, 0.01, 3.99, 0.01]) {
      time.now += minutes * 60_000
      await agent.pass()
    }
    assert.equal(role.tries, 5)
    const { failed } = await agent.pass({ retry: true })
    assert.deepEqual(failed, [role])
    role.failure = undefined
    await agent.pass({ retry: true })
    role.failure = new Error('no')
    time.now += 10 * 24 * HOUR
    await agent.pass()
    time.now += 60_000
    await agent.pass()
    assert.equal(role.tries, 9)
  })

  test('goes on although something cannot be read', async () => {
    const { agent, role, token, lines } = setUp()
    role.validity = async () => {
      throw new Error('permission denied')
    }
    await agent.pass()
    assert.ok(token.current)
    assert.ok(lines.includes('error role certificate weather:role.readers cannot be read: permission denied'))
  })

  test('looks at the clock of the wall twice a minute, so that it finds out that the machine slept', async () => {
    const { agent, time, waits, service, passes } = setUp()
    const stopping = new AbortController()
    const running = agent.run(stopping.signal)
    await until(() => waits.length === 1)
    assert.equal(waits[0]?.millis, 30_000)
    time.now += 11 * 24 * HOUR
    waits[0]?.end()
    await until(() => waits.length === 2)
    assert.equal(service.tries, 2)
    time.now -= 5 * 24 * HOUR
    waits[1]?.end()
    await until(() => waits.length === 3)
    assert.equal(service.tries, 2)
    stopping.abort()
    await running
    assert.equal(passes.length, 3)
  })
})

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(setImmediate)
}
