import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RUNTIME_OPTIONS, serverEnvironment } from '../../../src/cli/server-process.ts'
import { runProgram } from '../../support/program.ts'
import { benchDomain, STANDARD_SIZE } from '../data.ts'
import { median } from '../statistics.ts'
import type { Figures } from './row.ts'
import type { Effort } from './session.ts'
import { writeSignedCopy } from './signed-copy.ts'
import type { Size } from './sizes.ts'

const PROGRAM = join(import.meta.dirname, '..', 'load', 'zts-start.ts')

/** What a start printed. */
interface Loaded {
  readonly domains: number
  readonly millis: number
  readonly cpuMillis: number
  readonly residentMib: number
}

/**
 * A starting ZTS loads domains of the standard size from its local copy, verifies their signatures and makes them ready for
 * questions, in a fresh process each time, as a server does.
 */
export const domainLoad = {
  name: 'zts-load',
  axes: ['domains'] as const,
  async measure({ domains }: Size, { rounds }: Effort): Promise<Figures> {
    const folder = await mkdtemp(join(tmpdir(), 'athenz-bench-zts-'))
    try {
      const { folder: copy, keyFile } = await writeSignedCopy(folder, standardDomains(domains), 'rsa')
      const loaded: Loaded[] = []
      for (let round = 0; round < rounds; round++) loaded.push(await load(copy, keyFile, domains))
      const middle = (of: (each: Loaded) => number) => median(loaded.map(of))
      return {
        seconds: middle(({ millis }) => millis / 1000),
        cpuSeconds: middle(({ cpuMillis }) => cpuMillis / 1000),
        mebibytes: middle(({ residentMib }) => residentMib),
      }
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  },
}

function* standardDomains(count: number) {
  for (let index = 0; index < count; index++) yield benchDomain(index, { ...STANDARD_SIZE, domains: count })
}

async function load(copy: string, keyFile: string, domains: number): Promise<Loaded> {
  const args = [...RUNTIME_OPTIONS, PROGRAM, copy, keyFile]
  const { status, stdout, stderr } = await runProgram(process.execPath, args, { env: serverEnvironment() })
  if (status !== 0) throw new Error(`domains were not loaded: ${stderr}`)
  const loaded = JSON.parse(stdout) as Loaded
  // The system domain is one more.
  if (loaded.domains !== domains + 1)
    throw new Error(`${loaded.domains} of ${domains + 1} domains were loaded: ${stderr}`)
  return loaded
}
