import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Networks } from '#core/authority/networks.ts'
import { RateLimits } from '#core/http/rate-limits.ts'
import { SharedRates } from '#core/http/shared-rates.ts'
import { silentLogger } from '#core/log/logger.ts'

const NEVER_MILLIS = 1_000_000

/** Processes that limit the connections of an address together, by one clock. */
function processes(count: number, connectionsPerSecond: number) {
  const clock = { millis: 0 }
  const listeners: ((value: never) => void)[] = []
  const all = Array.from({ length: count }, (_, index) => {
    const shared = new SharedRates(
      {
        count,
        publish: (_topic, value) =>
          listeners.forEach((listener, other) => other !== index && listener(structuredClone(value) as never)),
        subscribe: (_topic, listener) => void listeners.push(listener),
      },
      NEVER_MILLIS,
    )
    const limits = new RateLimits({
      connectionsPerSecond,
      addressRequestsPerSecond: 0,
      failuresPerMinute: 0,
      principalRequestsPerSecond: 0,
      burstSeconds: 1,
      exempt: Networks.read([], 'exempt'),
      maxKeys: 1000,
      log: silentLogger(),
      now: () => clock.millis,
      sharers: count,
      onAdmitted: shared.note,
    })
    shared.charge(limits)
    return { shared, limits }
  })
  const close = () => {
    for (const { shared } of all) shared.close()
  }
  return { clock, all, [Symbol.dispose]: close }
}

describe('limits of rates of several processes', () => {
  test('hold for a client whichever process its connections come to', () => {
    using group = processes(3, 10)
    let admitted = 0
    for (let turn = 0; turn < 600; turn++) {
      group.clock.millis = turn * 100
      // More than is allowed, at every process.
      for (const { limits } of group.all) {
        for (let attempt = 0; attempt < 5; attempt++) if (limits.admitsConnection('192.0.2.7')) admitted++
      }
      for (const { shared } of group.all) shared.tell()
    }
    // In a minute 600, and the burst of each process before they have heard of each other.
    assert.ok(admitted >= 600 && admitted <= 600 + 3 * 10, String(admitted))
  })

  test('do not touch those of other clients', () => {
    using group = processes(2, 5)
    const [first, second] = group.all
    for (let attempt = 0; attempt < 9; attempt++) first?.limits.admitsConnection('192.0.2.7')
    first?.shared.tell()
    assert.equal(second?.limits.admitsConnection('192.0.2.7'), false)
    for (let attempt = 0; attempt < 5; attempt++) assert.equal(second?.limits.admitsConnection('192.0.2.8'), true)
    assert.equal(second?.limits.admitsConnection('192.0.2.8'), false)
  })

  test('are told nothing while nothing happens', () => {
    let told = 0
    const shared = new SharedRates({ count: 2, publish: () => void told++, subscribe: () => {} }, NEVER_MILLIS)
    shared.tell()
    shared.note('address', '192.0.2.7')
    shared.tell()
    shared.tell()
    shared.close()
    assert.equal(told, 1)
  })
})
