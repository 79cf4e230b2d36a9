import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { runProgram } from '../support/program.ts'

const SOURCE = join(import.meta.dirname, 'conformance.ts')

for (const store of ['file', 'mysql']) {
  test(`ZMS on the ${store} store answers and decides as recorded`, async (context) => {
    const { status, stdout, stderr } = await runProgram(process.execPath, [
      SOURCE,
      'zms',
      'decisions',
      '--store',
      store,
    ])
    assert.equal(status, 0, stdout + stderr)
    const total = stdout.trimEnd().split('\n').at(-1) ?? ''
    assert.match(total, /^\d{4,} passed, 0 failed$/)
    context.diagnostic(total)
  })
}
