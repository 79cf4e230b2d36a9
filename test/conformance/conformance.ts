// npm run conformance: replays recorded scenarios and decisions against our servers.
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Argument, Command, InvalidArgumentError, Option } from 'commander'
import type { DevSummary } from '../../src/cli/dev-announcement.ts'
import { type DevServersOptions, startDevServers, startDevZmsBeside } from '../support/dev-servers.ts'
import { type MariaDb, startMariaDb } from '../support/mariadb.ts'
import { startProgram } from '../support/program.ts'
import { recordDatabase, recordSettings } from '../support/record-settings.ts'
import { type ZtsSettingsName, ztsFiles, ztsSettings } from './zts-settings.ts'

type StoreKind = 'file' | 'mysql'

interface Options {
  readonly store: StoreKind | 'both'
  readonly scenarios: string
  readonly only?: readonly string[]
  readonly servers: number
  readonly jobs: number
  readonly verbose?: boolean
}

/** Servers that are replayed against. */
interface Servers extends DevSummary {
  /** Addresses of all ZMS on the database, the first one's too. */
  readonly allZms: readonly string[]
}

/** A folder of recordings and how it is replayed. */
interface Part {
  readonly name: string
  /** Settings of ZTS that the answers assume; absent where ZTS is not needed. */
  readonly zts?: ZtsSettingsName
  /** Arguments of `node` that replay files against the servers. */
  readonly replay: (files: readonly string[], servers: Servers, options: Options) => string[]
}

interface Counts {
  passed: number
  failed: number
}

const runScenarios: Part['replay'] = (files, servers, { jobs, verbose }) => [
  join(import.meta.dirname, 'run.mjs'),
  ...flags({
    zms: servers.allZms.map((url) => new URL(url).origin).join(','),
    zts: servers.zts && new URL(servers.zts).origin,
    ca: servers.clientCa,
    'ca-key': servers.clientCaKey,
    'server-ca': servers.ca,
    jobs: String(jobs),
  }),
  ...(verbose ? ['--verbose'] : []),
  ...files,
]

const runDecisions: Part['replay'] = (files, servers) => [
  join(import.meta.dirname, 'decisions', 'replay.mjs'),
  ...flags({
    zms: servers.allZms.join(','),
    zts: servers.zts,
    ca: servers.ca,
    'client-ca': servers.clientCa,
    'client-ca-key': servers.clientCaKey,
  }),
  ...files,
]

const PARTS: readonly Part[] = [
  { name: 'zms', replay: runScenarios },
  { name: 'decisions', zts: 'default', replay: runDecisions },
  { name: 'zts', zts: 'default', replay: runScenarios },
  { name: 'zts/extended', zts: 'extended', replay: runScenarios },
]

const program = new Command('conformance')
  .description('Replays recorded scenarios and decisions against our servers.')
  .addArgument(
    new Argument('[parts...]', 'what to replay (default: everything)').choices(PARTS.map(({ name }) => name)),
  )
  .addOption(
    new Option('--store <kind>', 'where ZMS keeps its data and ZTS its records')
      .choices(['file', 'mysql', 'both'])
      .default('file'),
  )
  .option('--scenarios <folder>', 'recordings laid out as here', import.meta.dirname)
  .option('--only <names...>', 'only these files of the parts, without .json')
  .option('--servers <number>', 'ZMS on one database, to which the requests of a scenario go in turn', parseCount, 1)
  .option('--jobs <number>', 'scenarios at a time', parseCount, 4)
  .option('--verbose', 'print requests and answers')
  .action(async (names: readonly string[], options: Options) => {
    const there = (part: Part) => existsSync(folderOf(part, options))
    const parts = PARTS.filter((part) => (names.length === 0 ? there(part) : names.includes(part.name)))
    const absent = parts.find((part) => !there(part))
    if (absent) program.error(`error: there is no folder ${folderOf(absent, options)}`)
    if (parts.length === 0) program.error(`error: there is no recording in ${resolve(options.scenarios)}`)
    if (options.servers > 1 && options.store !== 'mysql') program.error('error: --servers needs --store mysql')
    const stores = options.store === 'both' ? (['file', 'mysql'] as const) : [options.store]
    const total: Counts = { passed: 0, failed: 0 }
    for (const store of stores) {
      for (const group of Map.groupBy(parts, ({ zts }) => zts).values()) await replayOn(store, group, options, total)
    }
    console.log(`${total.passed} passed, ${total.failed} failed`)
    process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1
  })
await program.parseAsync()

/** Replays parts that need the same settings against servers of their own on one store, and adds up. */
async function replayOn(store: StoreKind, parts: readonly Part[], options: Options, total: Counts): Promise<void> {
  if (parts.every((part) => filesOf(part, options).length === 0)) return
  const dir = mkdtempSync(join(tmpdir(), 'athenz-conformance-'))
  await using database = store === 'mysql' ? await startMariaDb() : undefined
  try {
    const zts = parts[0]?.zts
    const mysqlUrl = database && (await emptyDatabase(database))
    const settings = zts && { ...ztsSettings[zts], ...recordSettings(database && (await recordDatabase(database))) }
    const first: DevServersOptions = {
      dir: join(dir, 'first'),
      zts: zts !== undefined,
      ...(mysqlUrl && { mysqlUrl }),
      ...(settings && { ztsSettings: settings }),
      files: ztsFiles,
    }
    await using running = new AsyncDisposableStack()
    const { summary } = running.use(await startDevServers(first))
    const allZms = [summary.zms ?? '']
    while (allZms.length < options.servers) {
      const another = running.use(await startDevZmsBeside(first, join(dir, `beside-${allZms.length}`)))
      allZms.push(another.summary.zms ?? '')
    }
    for (const part of parts) await replayPart(part, store, { ...summary, allZms }, options, total)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

async function replayPart(
  part: Part,
  store: StoreKind,
  servers: Servers,
  options: Options,
  total: Counts,
): Promise<void> {
  const files = filesOf(part, options)
  if (files.length === 0) return
  const several = options.servers > 1 ? `, with ${options.servers} ZMS` : ''
  const label = `${part.name} on the ${store} store${several}`
  if (part.zts && servers.zts === null) {
    console.log(`FAIL ${label}: bin/athenz dev runs no ZTS`)
    total.failed++
    return
  }
  console.log(`${label}:`)
  const started = performance.now()
  const replay = startProgram(process.execPath, part.replay(files, servers, options))
  const counts = await printUntilCounts(replay)
  const { status } = await replay.ended
  if (counts === undefined || (status !== 0 && counts.failed === 0)) {
    console.log(`FAIL ${label}: the runner ended with status ${status}\n${replay.stderr()}`)
    total.failed++
  }
  total.passed += counts?.passed ?? 0
  total.failed += counts?.failed ?? 0
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`${label}: ${counts?.passed ?? 0} passed, ${counts?.failed ?? 0} failed (${seconds} s)\n`)
}

/** Prints what a runner prints as it comes; its last line, the counts, is given instead. */
async function printUntilCounts(replay: ReturnType<typeof startProgram>): Promise<Counts | undefined> {
  let counts: Counts | undefined
  for await (const line of replay.lines()) {
    const [, passed, failed] = /^(\d+) passed, (\d+) failed$/.exec(line) ?? []
    if (passed === undefined) console.log(`  ${line}`)
    else counts = { passed: Number(passed), failed: Number(failed) }
  }
  return counts
}

function flags(values: Readonly<Record<string, string | null>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => (value === null ? [] : [`--${name}`, value]))
}

function folderOf({ name }: Part, { scenarios }: Options): string {
  return resolve(scenarios, name)
}

function filesOf(part: Part, options: Options): string[] {
  const { only } = options
  const folder = folderOf(part, options)
  const names = readdirSync(folder).filter(
    (name) => name.endsWith('.json') && (!only || only.includes(name.slice(0, -'.json'.length))),
  )
  return names.sort().map((name) => join(folder, name))
}

async function emptyDatabase(server: MariaDb): Promise<string> {
  await server.query('CREATE DATABASE zms_conformance')
  return server.url('zms_conformance')
}

function parseCount(text: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('Write a number from 1 on.')
  return count
}
