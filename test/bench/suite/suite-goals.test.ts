import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { BenchRow } from './row.ts'
import { suiteGoals } from './suite-goals.ts'

const row = (name: string, domains: number, figures: BenchRow['figures'], store: BenchRow['store'] = 'file') => ({
  name,
  store,
  size: { domains },
  figures,
})
const texts = (rows: readonly BenchRow[]) =>
  suiteGoals(rows).map(({ wanted, reached, figure }) => `${wanted}: ${reached} ${figure}`)

describe('goals of the suite', () => {
  test('are about the figures that were measured', () => {
    assert.deepEqual(texts([row('access-check', 1000, { cpuMicros: 30, cpuOfBare: 1.5, ofBare: 0.8 })]), [
      'access-check on the file store, 1000 domains: answers, part of bare ≥ 0.70: true 0.80',
      'access-check on the file store, 1000 domains: CPU ÷ bare ≤ 1.40: false 1.50',
    ])
  })

  test('are only for the store and the number of domains that they name', () => {
    assert.deepEqual(texts([row('access-check', 1000, { ofBare: 0.1 }, 'mysql')]), [])
    assert.deepEqual(texts([row('zts-load', 1000, { seconds: 9 }, 'none')]), [])
    assert.deepEqual(texts([row('zts-load', 10_000, { seconds: 4 }, 'none')]), [
      'zts-load, 10000 domains: time ≤ 5.00 s: true 4.00 s',
    ])
  })

  test('compare the most domains with the fewest', () => {
    const cost = (cpuMicros: number) => ({ cpuMicros, cpuOfBare: cpuMicros / 10 })
    assert.deepEqual(
      texts([
        row('membership-write', 1000, cost(70), 'mysql'),
        row('membership-write', 10_000, cost(50), 'mysql'),
        row('membership-write', 1, cost(20), 'mysql'),
      ]),
      ['membership-write on the MariaDB: cost with 10000 domains ÷ with 1 ≤ 2.00: false 2.50'],
    )
  })

  test('compare the largest role and policy with the smallest', () => {
    const sized = (name: string, size: BenchRow['size'], cpuMicros: number): BenchRow => ({
      ...row(name, 0, { cpuMicros }),
      size,
    })
    assert.deepEqual(
      texts([
        sized('access-check/sized', { members: 10, assertions: 10 }, 10),
        sized('access-check/sized', { members: 1000, assertions: 10 }, 50),
        sized('access-check/sized', { members: 100_000, assertions: 10 }, 15),
        sized('access-check/sized', { members: 10, assertions: 10_000 }, 30),
        sized('zpe-decision', { assertions: 10 }, 10),
        sized('zpe-decision', { assertions: 10_000 }, 25),
        sized('role-certificate', { domains: 1, members: 10 }, 10),
        sized('role-certificate', { domains: 1000, members: 1000 }, 90),
        sized('domain-read', { domains: 1, members: 10 }, 1),
        sized('domain-read', { domains: 1, members: 1000 }, 9),
      ]),
      [
        'access-check/sized on the file store: cost with 100000 members ÷ with 10 ≤ 2.00: true 1.50',
        'access-check/sized on the file store: cost with 10000 assertions ÷ with 10 ≤ 2.00: false 3.00',
        'zpe-decision on the file store: cost with 10000 assertions ÷ with 10 ≤ 3.00: true 2.50',
      ],
    )
  })

  test('do not compare what is no repetition', () => {
    assert.deepEqual(texts([row('zts-change', 1, { cpuMicros: 1 }, 'none')]), [])
  })
})
