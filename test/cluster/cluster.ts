// npm run cluster: two ZMS and two ZTS on three MariaDB nodes with Galera that are killed, paused and cut off.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { machineLine } from '../support/machine-line.ts'
import { missingForCluster } from './cluster-requirements.ts'
import { runCluster } from './cluster-run.ts'
import { ALL_FAULTS, SHORT_FAULTS } from './faults.ts'

/** The exit status of a run that could not begin. */
const SKIPPED = 77

interface Given {
  readonly short: boolean
  readonly rounds: number
  readonly clients: number
  readonly registers: number
  readonly faultSeconds: number
  readonly suspectMillis?: number
  readonly only?: string
  readonly keep: boolean
  /** Set when the network, the processes and the mounts of this process are its own: where to work. */
  readonly folder?: string
}

const program = new Command('cluster')
  .description('Breaks a database cluster on purpose and checks what clients were told meanwhile.')
  .option('--short', 'one fault of each kind, in less than a minute', false)
  .option('--rounds <number>', 'how often every fault happens', positive, 1)
  .option('--clients <number>', 'clients at the same time', positive, 12)
  .option('--registers <number>', 'objects of each kind', positive, 6)
  .option('--fault-seconds <number>', 'how long a fault lasts', positive, 10)
  .option(
    '--suspect-millis <number>',
    'time after which nodes leave a silent one out (default: that of Galera)',
    positive,
  )
  .option('--only <text>', 'only faults whose name has it')
  .option('--keep', 'keep the folder of the nodes and servers', false)
  .addOption(new Option('--folder <path>').hideHelp())
  .action(async (given: Given) => {
    const missing = await missingForCluster()
    if (missing !== undefined) {
      console.log(`skipped: ${missing}`)
      process.exitCode = SKIPPED
    } else if (given.folder !== undefined) {
      process.exitCode = (await run(given, given.folder)) ? 0 : 1
    } else {
      process.exitCode = await runInside(given)
    }
  })
await program.parseAsync()

function run(given: Given, folder: string): Promise<boolean> {
  const { short, rounds, clients, registers, only } = given
  const faults = (short ? SHORT_FAULTS : Array.from({ length: rounds }, () => ALL_FAULTS).flat()).filter(
    ({ name }) => only === undefined || name.includes(only),
  )
  console.log(`${machineLine()}, ${short ? 'short' : 'long'}`)
  const suspectMillis = given.suspectMillis ?? (short ? 1_000 : undefined)
  return runCluster({
    faults,
    clients: short ? Math.min(clients, 8) : clients,
    registersOfEachKind: short ? Math.min(registers, 3) : registers,
    faultMillis: short ? 3_000 : given.faultSeconds * 1000,
    databaseTimeoutMillis: short ? 1_500 : 5_000,
    folder,
    ...(suspectMillis !== undefined && { suspectMillis }),
  })
}

/** Runs this program again where the network, the processes and the mounts are its own: all of it ends with it. */
async function runInside({ keep }: Given): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'athenz-cluster-'))
  const namespaces = ['--net', '--mount', '--mount-proc', '--pid', '--fork', '--kill-child']
  const own = [process.execPath, ...process.execArgv, ...process.argv.slice(1), '--folder', folder]
  const child = spawn('unshare', [...namespaces, ...own], { stdio: 'inherit', detached: true })
  // It is the first process of its own world, and those do not mind signals.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => child.kill('SIGKILL'))
  const [status] = (await once(child, 'exit')) as [number | null]
  if (keep) console.log(`logs are in ${folder}`)
  else await rm(folder, { recursive: true, force: true })
  return status ?? 1
}

function positive(text: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new InvalidArgumentError('Write a number above 0.')
  return value
}
