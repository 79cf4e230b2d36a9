import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import type { Fault } from './fault.ts'

/** Everything happens in a network of its own, where cables can be pulled. */
const OWN_NETWORK = ['--net', ...(process.getuid?.() === 0 ? [] : ['--map-root-user'])]

/** Those at the other end of connections vanish without a word. */
export const vanished: Fault = {
  name: 'vanish',
  what: 'the cable of clients is pulled in the middle of all that a connection does; with --long that of ZMS, too, while ZTS waits',
  async attempt({ dir, size, report }) {
    const missing = missingForNetworks()
    if (missing !== undefined) return missing
    const program = [
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      join(import.meta.dirname, 'vanished-run.ts'),
    ]
    const child = spawn('unshare', [...OWN_NETWORK, ...program, dir, size], { stdio: ['ignore', 'pipe', 'pipe'] })
    createInterface(child.stdout).on('line', report)
    const [errors, [status]] = await Promise.all([text(child.stderr), once(child, 'close')])
    if (status !== 0) throw new Error(errors)
    return undefined
  },
}

function missingForNetworks(): string | undefined {
  const probe = spawnSync('unshare', [...OWN_NETWORK, 'ip', 'link', 'add', 'probe', 'type', 'bridge'], {
    encoding: 'utf8',
  })
  if (probe.status === 0) return undefined
  return `networks with bridges cannot be made here: ${probe.error?.message ?? probe.stderr.trim()}`
}
