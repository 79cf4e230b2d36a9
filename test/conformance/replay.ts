import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { runProgram } from '../support/program.ts'

const SOURCE = join(import.meta.dirname, 'conformance.ts')

/** Replays parts of the recordings on one store, with further options of the program; throws with everything that was printed when an answer differs. */
export async function replay(
  context: TestContext,
  parts: readonly string[],
  store: 'file' | 'mysql',
  more: readonly string[] = [],
): Promise<void> {
  const { status, stdout, stderr } = await runProgram(process.execPath, [SOURCE, ...parts, '--store', store, ...more])
  assert.equal(status, 0, stdout + stderr)
  const total = stdout.trimEnd().split('\n').at(-1) ?? ''
  assert.match(total, /^\d{3,} passed, 0 failed$/)
  context.diagnostic(total)
}
