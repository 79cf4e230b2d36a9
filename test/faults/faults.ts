import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { machineLine } from '../support/machine-line.ts'
import { FAULTS } from './all-faults.ts'
import type { FaultSize } from './fault.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { long: { type: 'boolean', default: false } },
})
const size: FaultSize = values.long ? 'long' : 'short'
const unknown = positionals.filter((name) => FAULTS.every((fault) => fault.name !== name))
if (unknown.length > 0) {
  process.stderr.write(`unknown: ${unknown.join(', ')}; there are ${FAULTS.map(({ name }) => name).join(', ')}\n`)
  process.exit(1)
}
process.stdout.write(`${machineLine()}, ${size}\n`)
let failed = 0
for (const { name, what, attempt } of FAULTS) {
  if (positionals.length > 0 && !positionals.includes(name)) continue
  const dir = await mkdtemp(join(tmpdir(), `athenz-faults-${name}-`))
  process.stdout.write(`\n${name}: ${what}\n`)
  const start = performance.now()
  try {
    const skipped = await attempt({ dir, size, report: (line) => void process.stdout.write(`  ${line}\n`) })
    const seconds = ((performance.now() - start) / 1000).toFixed(1)
    process.stdout.write(skipped === undefined ? `  ok, ${seconds} s\n` : `  not tried: ${skipped}\n`)
  } catch (error) {
    failed++
    process.stdout.write(`  FAILED: ${error instanceof Error ? error.stack : String(error)}\n`)
  }
  await rm(dir, { recursive: true, force: true })
}
process.exitCode = failed > 0 ? 1 : 0
