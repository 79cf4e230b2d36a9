import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { daysBetween, OnceADay } from '#core/notification/days.ts'

describe('days', () => {
  const cases: readonly (readonly [from: string, to: string, days: number])[] = [
    ['2030-01-01T00:00:00Z', '2030-01-01T23:59:59Z', 0],
    ['2030-01-01T23:59:59Z', '2030-01-02T00:00:00Z', 1],
    ['2030-02-28T12:00:00Z', '2030-03-01T11:00:00Z', 1],
    ['2030-01-02T00:00:00Z', '2030-01-01T23:00:00Z', -1],
  ]
  for (const [from, to, days] of cases) {
    test(`from ${from} to ${to} are ${days}`, () => assert.equal(daysBetween(Date.parse(from), Date.parse(to)), days))
  }
})

describe('what is done once a day', () => {
  test('is done on each day, and again only if it failed', async () => {
    const done: string[] = []
    const clock = { time: '2030-01-01T23:00:00Z', fails: true }
    const daily = new OnceADay({
      now: () => Date.parse(clock.time),
      work: async () => {
        if (clock.fails) throw new Error('away')
        done.push(clock.time)
      },
      otherwise: async () => void done.push('otherwise'),
    })
    await assert.rejects(daily.run(), /away/)
    clock.fails = false
    await daily.run()
    await daily.run()
    clock.time = '2030-01-02T00:00:00Z'
    await daily.run()
    assert.deepEqual(done, ['2030-01-01T23:00:00Z', 'otherwise', '2030-01-02T00:00:00Z'])
  })
})
