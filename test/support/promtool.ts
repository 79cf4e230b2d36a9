import { execFile } from 'node:child_process'
import { access, mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { PROJECT_FOLDER } from '../../src/cli/server-kind.ts'

const run = promisify(execFile)

/** Where the program is kept once it was fetched: nobody else can put one there. */
const FOLDER = join(PROJECT_FOLDER, 'node_modules', '.cache', 'promtool')

/** What became of the search. */
export type Promtool = { readonly path: string } | { readonly missing: string }

/**
 * Finds promtool on this machine, or takes it out of Debian's package without installing that: the package would start a
 * server. Gives the reason when it cannot be had.
 */
export async function findPromtool(): Promise<Promtool> {
  const kept = join(FOLDER, 'usr', 'bin', 'promtool')
  for (const path of ['promtool', kept]) {
    if (await works(path)) return { path }
  }
  const building = `${FOLDER}.${process.pid}`
  try {
    await mkdir(building, { recursive: true, mode: 0o700 })
    await run('apt-get', ['download', '-q', 'prometheus'], { cwd: building })
    await run('sh', ['-c', 'dpkg -x prometheus_*.deb . && rm prometheus_*.deb'], { cwd: building })
    await rename(building, FOLDER).catch(() => rm(building, { recursive: true }))
    await access(kept)
    return { path: kept }
  } catch (error) {
    await rm(building, { recursive: true, force: true })
    const [reason = ''] = (error instanceof Error ? error.message : String(error)).split('\n')
    return { missing: `promtool is not here and apt-get does not bring the package prometheus: ${reason}` }
  }
}

async function works(path: string): Promise<boolean> {
  try {
    await run(path, ['--version'])
    return true
  } catch {
    return false
  }
}
