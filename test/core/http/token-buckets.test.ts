import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { TokenBuckets } from '#core/http/token-buckets.ts'

/** How many of so many events at one moment are admitted. */
const admitted = (buckets: TokenBuckets, key: string, now: number, events: number) =>
  Array.from({ length: events }, () => buckets.take(key, now)).filter((wait) => wait === 0).length

suite('token buckets', () => {
  test('admit a burst, and then as many as the rate says', () => {
    const buckets = new TokenBuckets({ perSecond: 10, burst: 5, maxKeys: 100 })
    assert.equal(admitted(buckets, 'a', 0, 20), 5)
    assert.equal(admitted(buckets, 'a', 99, 20), 0)
    assert.equal(admitted(buckets, 'a', 100, 20), 1)
    assert.equal(admitted(buckets, 'a', 1000, 20), 5)
  })

  test('take what others have given into account, beyond what there is', () => {
    const taken: string[] = []
    const buckets = new TokenBuckets({
      perSecond: 10,
      burst: 5,
      maxKeys: 100,
      sharers: 2,
      onTaken: (key) => taken.push(key),
    })
    assert.equal(admitted(buckets, 'a', 0, 3), 3)
    assert.deepEqual(taken, ['a', 'a', 'a'])
    buckets.charge('a', 5, 0)
    // Three more than there were, so that the next one is due after the time of four.
    assert.equal(buckets.take('a', 0), 400)
    assert.equal(admitted(buckets, 'a', 399, 9), 0)
    assert.equal(admitted(buckets, 'a', 400, 9), 1)
    assert.equal(taken.length, 4)
  })

  test('do not forget what is owed to others', () => {
    const buckets = new TokenBuckets({ perSecond: 1, burst: 2, maxKeys: 100, sharers: 2 })
    assert.equal(admitted(buckets, 'a', 0, 9), 2)
    buckets.charge('a', 2, 0)
    for (let second = 0.5; second < 2.9; second += 0.1) buckets.take('another', second * 1000)
    assert.equal(admitted(buckets, 'a', 2900, 9), 0)
    assert.equal(admitted(buckets, 'a', 3000, 9), 1)
  })

  test('tell how long to wait, and mean it', () => {
    const buckets = new TokenBuckets({ perSecond: 4, burst: 1, maxKeys: 100 })
    assert.equal(buckets.wait('a', 0), 0)
    assert.equal(buckets.take('a', 0), 0)
    assert.equal(buckets.take('a', 100), 150)
    assert.equal(buckets.wait('a', 100), 150)
    assert.equal(buckets.take('a', 250), 0)
  })

  test('are one for each key', () => {
    const buckets = new TokenBuckets({ perSecond: 1, burst: 2, maxKeys: 100 })
    assert.deepEqual([admitted(buckets, 'a', 0, 9), admitted(buckets, 'b', 0, 9)], [2, 2])
    for (const key of ['__proto__', 'constructor', '']) assert.equal(admitted(buckets, key, 0, 9), 2)
  })

  test('keep no more keys than they may, whatever comes', () => {
    const buckets = new TokenBuckets({ perSecond: 1, burst: 60, maxKeys: 1000 })
    for (let at = 0; at < 100_000; at++) buckets.take(`client ${at}`, at / 1000)
    assert.ok(buckets.size <= 1000, String(buckets.size))
  })

  test('keep nothing of those who were not there for long', () => {
    const buckets = new TokenBuckets({ perSecond: 10, burst: 10, maxKeys: 1_000_000 })
    for (let at = 0; at < 1000; at++) buckets.take(`client ${at}`, 0)
    assert.ok(buckets.size > 900)
    buckets.take('somebody', 2000)
    buckets.take('somebody', 4000)
    assert.ok(buckets.size <= 2, String(buckets.size))
  })

  test('never admit more than burst and rate allow in any span of time', () => {
    const event = fc.record({ pause: fc.integer({ min: 0, max: 400 }), key: fc.constantFrom('a', 'b') })
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 200 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 8 }),
        (events, perSecond, burst) => {
          const buckets = new TokenBuckets({ perSecond, burst, maxKeys: 1000 })
          let now = 0
          const times: number[] = []
          for (const { pause, key } of events) {
            now += pause
            if (buckets.take(key, now) === 0 && key === 'a') times.push(now)
          }
          for (let from = 0; from < times.length; from++) {
            for (let to = from; to < times.length; to++) {
              const span = ((times[to] ?? 0) - (times[from] ?? 0)) / 1000
              assert.ok(to - from + 1 <= burst + span * perSecond + 1e-6)
            }
          }
        },
      ),
    )
  })

  test('cost less than half a microsecond', (context) => {
    const buckets = new TokenBuckets({ perSecond: 1_000_000_000, burst: 1_000_000_000, maxKeys: 200_000 })
    const keys = Array.from({ length: 1000 }, (_, at) => `sports.service-${at}`)
    const round = () => {
      const start = performance.now()
      for (let at = 0; at < 200_000; at++) buckets.take(keys[at % 1000] as string, performance.now())
      return ((performance.now() - start) / 200_000) * 1000
    }
    const microseconds = Math.min(...Array.from({ length: 8 }, round))
    context.diagnostic(`${microseconds.toFixed(3)} µs each, with the clock`)
    assert.ok(microseconds < 0.5, `${microseconds} µs`)
  })
})
