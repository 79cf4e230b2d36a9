import { appendFile, cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DevSummary } from '../../src/cli/dev-announcement.ts'
import { PROJECT_FOLDER } from '../../src/cli/server-kind.ts'
import { type Program, startProgram } from './program.ts'

/** Servers that `bin/athenz dev` runs for a test or a tool; stopped when they are left. */
export interface DevServers extends AsyncDisposable {
  readonly summary: DevSummary
  readonly program: Program
}

/** What they are started with. */
export interface DevServersOptions {
  /** Folder for everything they make. */
  readonly dir: string
  readonly zts: boolean
  /** With the web page; without it when absent. */
  readonly ui?: boolean
  /** Database of ZMS; the file store without it. */
  readonly mysqlUrl?: string
  /** Properties that win over the configuration. */
  readonly settings?: Readonly<Record<string, string>>
  /** Properties of ZTS alone, added to its file, and further files of the folder, by path in it. */
  readonly ztsSettings?: Readonly<Record<string, string>>
  readonly files?: Readonly<Record<string, string>>
  /** Deletes what earlier runs made. */
  readonly reset?: boolean
  /** Their environment; that of this process when absent. */
  readonly env?: NodeJS.ProcessEnv
}

/** Starts the servers on free ports and waits until they answer. */
export async function startDevServers(options: DevServersOptions): Promise<DevServers> {
  const { ztsSettings, files = {}, ...others } = options
  if (ztsSettings !== undefined) {
    // The file that is added to is made by a start.
    const made = await startDevServers(others)
    await made[Symbol.asyncDispose]()
    const lines = Object.entries(ztsSettings).map(([key, value]) => `${key}=${value}\n`)
    await appendFile(join(options.dir, 'conf', 'zts_server', 'zts.properties'), lines.join(''))
    for (const [path, text] of Object.entries(files)) await writeFile(join(options.dir, path), text)
  }
  return start(others)
}

/** What the servers of one database have in common, by path in a development folder; logs, and with them the audit log, are each one's own. */
const SHARED_PATHS = [
  'athenz-dev.json',
  'ca',
  'admin',
  'conf/zms_server',
  'var/zms_server/keys',
  'var/zms_server/certs',
]

/** Starts one more ZMS on the database of servers that run, with their keys, certificates and configuration, in a folder of its own. */
export async function startDevZmsBeside(first: DevServersOptions, dir: string): Promise<DevServers> {
  for (const path of SHARED_PATHS) await cp(join(first.dir, path), join(dir, path), { recursive: true })
  const { mysqlUrl, settings } = first
  return start({ dir, zts: false, ...(mysqlUrl !== undefined && { mysqlUrl }), ...(settings && { settings }) })
}

async function start(options: Omit<DevServersOptions, 'ztsSettings' | 'files'>): Promise<DevServers> {
  const { dir, zts, ui = false, mysqlUrl, settings = {}, reset = false, env } = options
  const args = [
    'dev',
    '--json',
    '--dir',
    dir,
    '--zms-port',
    '0',
    '--zts-port',
    '0',
    ...(zts ? [] : ['--no-zts']),
    ...(ui ? ['--ui-port', '0'] : ['--no-ui']),
    ...(reset ? ['--reset'] : []),
    ...(mysqlUrl === undefined ? [] : ['--store', 'mysql', '--mysql-url', mysqlUrl]),
    ...Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`]),
  ]
  const program = startProgram(join(PROJECT_FOLDER, 'bin', 'athenz'), args, env && { env })
  const summary = JSON.parse(await program.line()) as DevSummary
  return { summary, program, [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() }
}
