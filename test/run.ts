// npm test: runs all tests of this folder, or those whose path contains one of the arguments: npm test -- cli/dev
import { readdir } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { installSystemPackages } from './support/system-packages.ts'

// A test that hangs must not hang the whole run.
const TEST_TIMEOUT_MILLIS = 300_000

const wanted = process.argv.slice(2)
const entries = await readdir(import.meta.dirname, { recursive: true })
const files = entries
  .filter((path) => path.endsWith('.test.ts') && (wanted.length === 0 || wanted.some((part) => path.includes(part))))
  .sort()
  .map((path) => join(import.meta.dirname, path))

if (files.length === 0) {
  console.error(`test: no test file contains ${wanted.join(' or ')}`)
  process.exit(1)
}
installSystemPackages()

const tests = run({
  files,
  concurrency: availableParallelism(),
  timeout: TEST_TIMEOUT_MILLIS,
  execArgv: process.execArgv,
})
let [passed, failed, skipped] = [0, 0, 0]
tests.on('test:summary', ({ file, counts }) => {
  // The summary without a file is that of the whole run.
  if (file !== undefined) return
  passed = counts.passed
  failed = counts.tests - counts.passed - counts.skipped - counts.todo
  skipped = counts.skipped
})
const report = tests.compose(spec)
report.pipe(process.stdout, { end: false })
report.once('end', () => {
  if (skipped > 0) console.log(`${skipped} skipped`)
  console.log(`${passed} passed, ${failed} failed`)
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1
})
