// npm run check: types, lint, format, direction of imports, and whether copied recordings are up to date.
import { join } from 'node:path'
import { PROJECT_FOLDER } from './architecture/sources.ts'
import { compareCopies } from './copies.ts'
import { runProgram } from './support/program.ts'

/** Outcome of one check: what it printed, and whether it is good; a check may be skipped with a reason. */
interface Outcome {
  readonly ok: boolean
  readonly output: string
  readonly skipped?: string
}

const tool = (name: string) => join(PROJECT_FOLDER, 'node_modules', '.bin', name)

async function runTool(command: string, ...args: string[]): Promise<Outcome> {
  const { status, stdout, stderr } = await runProgram(command, args, { cwd: PROJECT_FOLDER })
  return { ok: status === 0, output: stdout + stderr }
}

async function checkCopies(): Promise<Outcome> {
  const comparison = await compareCopies(join(PROJECT_FOLDER, '..', 'shared'))
  if ('skipped' in comparison) return { ok: true, output: '', skipped: comparison.skipped }
  const { outdated } = comparison
  return { ok: outdated.length === 0, output: outdated.map((name) => `test/${name} is not the newest\n`).join('') }
}

const CHECKS: readonly (readonly [string, () => Promise<Outcome>])[] = [
  ['types', () => runTool(tool('tsc'))],
  ['lint', () => runTool(tool('oxlint'), '--type-aware', '--ignore-pattern=test/**/*.mjs', 'src', 'test')],
  ['format', () => runTool(tool('biome'), 'check', '--config-path=.biome.json', 'src', 'test')],
  ['imports and layout', () => runTool(process.execPath, join(import.meta.dirname, 'run.ts'), 'architecture/')],
  ['copied recordings', checkCopies],
]

let failed = 0
for (const [name, check] of CHECKS) {
  const started = performance.now()
  const { ok, output, skipped } = await check()
  if (!ok) {
    failed++
    console.log(output.trimEnd())
  }
  const note = skipped === undefined ? `${((performance.now() - started) / 1000).toFixed(1)} s` : `skipped: ${skipped}`
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${name} (${note})`)
}
process.exitCode = failed === 0 ? 0 : 1
