import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type BenchRow, costOf, growths } from './row.ts'
import { growthTable, rowTable } from './row-text.ts'

const row = (name: string, size: BenchRow['size'], figures: BenchRow['figures']): BenchRow => ({
  name,
  store: 'file',
  size,
  figures,
})

describe('the cost', () => {
  test('is the CPU of server and database in proportion to that of the bare server', () => {
    assert.equal(costOf({ cpuMicros: 30, databaseCpuMicros: 15, cpuOfBare: 2 }), 3)
  })

  test('is the CPU alone where no bare server was measured', () => {
    assert.equal(costOf({ cpuMicros: 30, databaseCpuMicros: 15 }), 45)
  })

  test('is otherwise CPU time, memory or time', () => {
    assert.equal(costOf({ cpuSeconds: 1, mebibytes: 2, seconds: 3 }), 1)
    assert.equal(costOf({ mebibytes: 2, seconds: 3 }), 2)
    assert.equal(costOf({ seconds: 3 }), 3)
    assert.equal(costOf({ perSecond: 3 }), undefined)
  })
})

describe('growth', () => {
  test('is the factor to the next smaller size, other things being equal', () => {
    const rows = [
      row('read', { domains: 1000, members: 10 }, { cpuMicros: 20 }),
      row('read', { domains: 1, members: 10 }, { cpuMicros: 10 }),
      row('read', { domains: 10_000, members: 10 }, { cpuMicros: 50 }),
      row('read', { domains: 1000, members: 500 }, { cpuMicros: 60 }),
    ]
    assert.deepEqual(
      growths(rows).map(({ axis, from, to, factor }) => [axis, from, to, factor]),
      [
        ['domains', 1, 1000, 2],
        ['domains', 1000, 10_000, 2.5],
        ['members', 10, 500, 3],
      ],
    )
  })

  test('is not between different things', () => {
    const rows = [
      row('read', { domains: 1 }, { cpuMicros: 10 }),
      row('write', { domains: 2 }, { cpuMicros: 10 }),
      { ...row('read', { domains: 2 }, { cpuMicros: 10 }), store: 'mysql' as const },
      row('read', {}, { cpuMicros: 10 }),
    ]
    assert.deepEqual(growths(rows), [])
  })

  test('is not from a cost that was not measured, or is nothing', () => {
    const rows = [
      row('read', { domains: 1 }, { perSecond: 10 }),
      row('read', { domains: 2 }, { cpuMicros: 0 }),
      row('read', { domains: 3 }, { cpuMicros: 10 }),
    ]
    assert.deepEqual(growths(rows), [])
  })
})

describe('tables', () => {
  const rows = [
    row('read', { domains: 1 }, { perSecond: 10, cpuMicros: 5 }),
    row('read', { domains: 1000 }, { perSecond: 8, cpuMicros: 10 }),
    row('memory', { domains: 1 }, { mebibytes: 100 }),
  ]

  test('have a column for each figure that is there', () => {
    const { columns, rows: cells } = rowTable(rows)
    assert.deepEqual(columns, ['', 'store', 'domains', 'members', 'assertions', 'per second', 'CPU µs', 'MiB'])
    assert.deepEqual(cells[2], ['memory', 'file store', 1, '-', '-', '-', '-', 100])
  })

  test('of growth have a column for each step', () => {
    const table = growthTable(growths(rows))
    assert.deepEqual(table?.columns, ['', 'store', 'domains 1→1,000'])
    assert.deepEqual(table?.rows, [['read', 'file store', 2]])
  })

  test('of growth are not made from one size', () => {
    assert.equal(growthTable([]), undefined)
  })
})
