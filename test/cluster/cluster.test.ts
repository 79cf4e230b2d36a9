import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runProgram } from '../support/program.ts'

const SKIPPED = 77

test('two ZMS and two ZTS on three database nodes that are killed, paused and cut off', async (context) => {
  const program = new URL('cluster.ts', import.meta.url).pathname
  const { status, stdout, stderr } = await runProgram(process.execPath, [program, '--short'])
  if (status === SKIPPED) {
    context.skip(stdout.trim())
    return
  }
  context.diagnostic(stdout)
  assert.equal(status, 0, stdout + stderr)
})
