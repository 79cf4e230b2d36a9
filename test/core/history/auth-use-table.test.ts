import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { AuthUseTable } from '#core/history/auth-use-table.ts'
import { use } from './uses.ts'

suite('uses in memory', () => {
  test('are found by the domain that was used and by that of the principal', () => {
    const table = new AuthUseTable(10)
    table.put(use('sports', 'weather.api', 1))
    table.put(use('weather', 'sports.web', 2))
    table.put(use('news', 'sports.api', 3))
    assert.deepEqual(table.ofDomain('sports'), {
      incoming: [use('sports', 'weather.api', 1)],
      outgoing: [use('weather', 'sports.web', 2), use('news', 'sports.api', 3)],
    })
    assert.deepEqual(table.ofDomain('toString'), { incoming: [], outgoing: [] })
  })

  test('count once for a principal and a domain, the latest', () => {
    const table = new AuthUseTable(10)
    for (const seconds of [5, 7, 6]) table.put(use('sports', 'weather.api', seconds))
    assert.equal(table.size, 1)
    assert.deepEqual(table.ofDomain('sports').incoming, [use('sports', 'weather.api', 7)])
  })

  test('make room for others, the least recent first', () => {
    const table = new AuthUseTable(2)
    table.put(use('sports', 'weather.api', 1))
    table.put(use('sports', 'weather.web', 2))
    table.put(use('sports', 'weather.api', 3))
    table.put(use('sports', 'news.api', 4))
    assert.deepEqual(table.ofDomain('sports').incoming, [use('sports', 'weather.api', 3), use('sports', 'news.api', 4)])
    assert.deepEqual(table.ofDomain('weather').outgoing, [use('sports', 'weather.api', 3)])
  })

  test('are forgotten when they are old, with their place in the indexes', () => {
    const table = new AuthUseTable(10)
    table.put(use('sports', 'weather.api', 1))
    table.put(use('sports', 'news.api', 9))
    table.forgetBefore(5)
    assert.deepEqual(table.ofDomain('sports').incoming, [use('sports', 'news.api', 9)])
    assert.deepEqual(table.ofDomain('weather').outgoing, [])
    table.forgetBefore(99)
    assert.equal(table.size, 0)
  })
})
