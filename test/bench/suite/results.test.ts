import assert from 'node:assert/strict'
import { test } from 'node:test'
import { benchMachine, machineText } from './results.ts'

test('the line about a machine tells the day, the cores and how busy it was', async () => {
  const machine = {
    date: '2026-02-03T04:05:06.000Z',
    cores: 2,
    processor: 'Some CPU',
    node: 'v24.1.0',
    commit: '0123456789ab+',
    loadAverage: 0.26,
  }
  assert.equal(
    machineText(machine),
    '2026-02-03, 2 cores (Some CPU), Node.js v24.1.0, commit 0123456789ab+, load average 0.3',
  )
  assert.match(machineText(await benchMachine(new Date(0))), /^1970-01-01, \d+ cores \(.+\), Node\.js v\d+/)
})
