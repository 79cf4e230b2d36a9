import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ServiceError } from '#core/error/service-error.ts'
import type { Exchange } from '#core/http/exchange.ts'
import { LoadShedder, type LoadShedderOptions, type ShedReason } from '#core/http/load-shedder.ts'
import { noRequestsInFlight } from '#core/http/requests-in-flight.ts'
import { silentLogger } from '#core/log/logger.ts'

function shedding(options: Partial<LoadShedderOptions> = {}) {
  const inFlight = noRequestsInFlight()
  const shed: ShedReason[] = []
  const shedder = new LoadShedder({
    delayMillis: 500,
    maxWorking: 0,
    inFlight,
    vitalPaths: new Set(['/zms/v1/status']),
    log: silentLogger(),
    onShed: (reason) => shed.push(reason),
    ...options,
  })
  /** What a request is answered with; undefined when it goes on. */
  const ask = (url = '/zms/v1/domain'): ServiceError | undefined => {
    let answer: ServiceError | undefined
    const writer = { sendError: (_exchange: unknown, error: ServiceError) => (answer = error) }
    const isAnswered = shedder.filter({ request: { url } } as Exchange, writer as never)
    assert.equal(isAnswered, answer !== undefined)
    return answer
  }
  const refusedOf = (requests: number, url?: string) =>
    Array.from({ length: requests }, () => ask(url)).filter((answer) => answer !== undefined).length
  const note = (millis: number, times = 1) => {
    for (let time = 0; time < times; time++) shedder.noteDelay(millis)
  }
  return { shedder, inFlight, shed, ask, refusedOf, note }
}

describe('by the delay of the event loop', () => {
  test('nothing is refused up to the limit', () => {
    const { refusedOf, note } = shedding()
    note(500, 100)
    assert.equal(refusedOf(1000), 0)
  })

  test('a share of the requests is refused that grows with every span above the limit, but never to all of them', () => {
    const { refusedOf, note } = shedding()
    note(501)
    const first = refusedOf(1000)
    assert.ok(first > 240 && first < 260, String(first))
    note(501)
    const second = refusedOf(1000)
    assert.ok(second > 420 && second < 450, String(second))
    note(60_000, 100)
    assert.equal(refusedOf(1000), 980)
  })

  test('the more it is above the limit, the faster the share grows', () => {
    const little = shedding()
    little.note(501)
    const much = shedding()
    much.note(1000)
    assert.ok(much.shedder.share > 1.9 * little.shedder.share)
  })

  test('the share stays between half of the limit and all of it, and shrinks slowly to nothing below', () => {
    const { shedder, note, refusedOf } = shedding()
    note(1000, 3)
    const reached = shedder.share
    note(499, 50)
    note(250, 50)
    assert.equal(shedder.share, reached)
    note(249)
    assert.ok(shedder.share > 0.75 * reached && shedder.share < reached)
    note(0, 20)
    assert.equal(shedder.share, 0)
    assert.equal(refusedOf(1000), 0)
  })

  test('which are refused does not depend on chance', () => {
    const { note, ask } = shedding()
    note(1000)
    const pattern = Array.from({ length: 10 }, () => ask() !== undefined)
    assert.deepEqual(
      pattern,
      Array.from({ length: 10 }, (_, index) => index % 2 === 1),
    )
  })

  test('the answer is 503 with the time to wait, longer the more is refused', () => {
    const { note, ask, shed } = shedding()
    note(501)
    const mild = Array.from({ length: 8 }, () => ask()).find((answer) => answer !== undefined)
    assert.deepEqual([mild?.status, mild?.message], [503, 'Server has too much to do, try again later'])
    assert.equal(mild?.headers?.['retry-after'], '3')
    note(60_000, 20)
    const severe = [ask(), ask()].find((answer) => answer !== undefined)
    assert.equal(severe?.headers?.['retry-after'], '5')
    assert.ok(shed.every((reason) => reason === 'delay'))
  })

  test('a limit of 0 is none', () => {
    const { note, refusedOf, shedder } = shedding({ delayMillis: 0 })
    note(60_000, 20)
    assert.equal(refusedOf(1000), 0)
    assert.equal(shedder.admitsConnection('192.0.2.1'), true)
  })
})

describe('by the requests that are worked on', () => {
  test('further ones are refused at the limit and until a tenth of it is free', () => {
    const { inFlight, ask, shed } = shedding({ maxWorking: 100 })
    inFlight.working = 99
    assert.equal(ask(), undefined)
    inFlight.working = 100
    assert.deepEqual([ask()?.status, ask()?.headers?.['retry-after']], [503, '1'])
    inFlight.working = 91
    assert.equal(ask()?.status, 503)
    inFlight.working = 89
    assert.equal(ask(), undefined)
    inFlight.working = 95
    assert.equal(ask(), undefined)
    assert.ok(shed.every((reason) => reason === 'in-flight'))
  })

  test('those that have not arrived and those that wait for news do not count', () => {
    const { inFlight, refusedOf } = shedding({ maxWorking: 10 })
    Object.assign(inFlight, { arriving: 10_000, waiting: 10_000, working: 9 })
    assert.equal(refusedOf(100), 0)
  })
})

test('who asks whether the server is there is always answered', () => {
  const { inFlight, note, refusedOf } = shedding({ maxWorking: 1 })
  note(60_000, 20)
  inFlight.working = 5000
  assert.equal(refusedOf(1000, '/zms/v1/status'), 0)
  assert.equal(refusedOf(1000, '/zms/v1/status?x=1'), 0)
  assert.equal(refusedOf(1000, '/zms/v1/status/x'), 1000)
})

test('connections are refused only when refusing requests is not enough, and never those of this machine', () => {
  const { shedder, note, shed } = shedding()
  const takenOf = (address: string | undefined) =>
    Array.from({ length: 100 }, () => shedder.admitsConnection(address)).filter(Boolean).length
  assert.equal(takenOf('192.0.2.1'), 100)
  note(1000)
  assert.equal(takenOf('192.0.2.1'), 100)
  note(60_000, 20)
  const taken = takenOf('192.0.2.1')
  assert.ok(taken >= 3 && taken <= 5, String(taken))
  for (const address of ['127.0.0.1', '::1', '::ffff:127.0.0.5', undefined]) assert.equal(takenOf(address), 100)
  assert.deepEqual(new Set(shed), new Set(['connection']))
})
