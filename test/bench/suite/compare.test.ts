import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { compareRows, comparisonTable } from './compare.ts'
import { benchFile, readBenchFile, saveBenchFile } from './results.ts'
import type { BenchRow } from './row.ts'

const row = (name: string, figures: BenchRow['figures'], domains = 1000): BenchRow => ({
  name,
  store: 'file',
  size: { domains },
  figures,
})

describe('a comparison', () => {
  test('gives the factor between costs, and both parts of the bare server', () => {
    const before = [row('access-check', { cpuMicros: 20, cpuOfBare: 2, ofBare: 0.5 })]
    const after = [row('access-check', { cpuMicros: 60, cpuOfBare: 3, ofBare: 0.4 })]
    const [only] = compareRows(before, after)
    assert.equal(only?.cost, 1.5)
    assert.deepEqual(only?.ofBare, [0.5, 0.4])
  })

  test('leaves out what only one has, and other sizes', () => {
    const before = [row('access-check', { cpuMicros: 1 }), row('role-token', { cpuMicros: 1 }, 1)]
    const after = [row('role-token', { cpuMicros: 1 }), row('domain-read', { cpuMicros: 1 })]
    assert.deepEqual(compareRows(before, after), [])
  })

  test('has no factor where there is no cost', () => {
    assert.equal(compareRows([row('a', { cpuMicros: 0 })], [row('a', { cpuMicros: 1 })])[0]?.cost, undefined)
  })
})

describe('a file of results', () => {
  const rows = [row('access-check', { cpuMicros: 10 }, 1), row('access-check', { cpuMicros: 30 })]

  test('says what was measured, on what, and how costs grow', async () => {
    const path = join(temporaryFolder(), 'deep', 'results.json')
    const file = await benchFile({ options: { rounds: 2 }, rows, goals: {} }, new Date(Date.UTC(2026, 1, 3)))
    assert.equal(await saveBenchFile(file, path), path)
    const read = await readBenchFile(path)
    assert.deepEqual(read.rows, rows)
    assert.deepEqual(read.growth, [
      { name: 'access-check', store: 'file', axis: 'domains', from: 1, to: 1000, factor: 3 },
    ])
    assert.equal(read.machine.date, '2026-02-03T00:00:00.000Z')
    assert.ok(read.machine.cores >= 1)
    assert.equal(read.machine.node, process.version)
    assert.match(read.machine.commit, /^([0-9a-f]{12}\+?)?$/)
    const table = comparisonTable(read, read)
    assert.deepEqual(
      table.rows.map((cells) => cells[5]),
      [1, 1],
    )
  })

  test('is refused when it is something else', async () => {
    const path = join(temporaryFolder(), 'other.json')
    await writeFile(path, '{"rows":[]}')
    await assert.rejects(readBenchFile(path), { message: `${path} is no file of results` })
  })
})
