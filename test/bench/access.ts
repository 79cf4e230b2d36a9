import { ZMS } from '../../src/cli/server-kind.ts'
import { startBareServer, startPlainServer } from './bare-server.ts'
import { fillForAccess, grantedChecks } from './bench-data.ts'
import { type BenchZms, prepareZms, STORE_TITLES } from './bench-zms.ts'
import { type LoadResult, type LoadTool, openLoadTool } from './load-tool.ts'
import type { BenchOptions } from './options.ts'
import { type BenchResult, type Goal, goal, type Table } from './report.ts'
import { requestText } from './request-text.ts'
import { figures } from './rounds.ts'
import { median, neighbours } from './statistics.ts'

/** Requests per second in proportion to the bare server, and server CPU likewise. */
const FILE_GOAL = 0.7
const FILE_CPU_GOAL = 1.4
/** In proportion to the plain server with its question to the database: on the cores that the database has, too, it is the limit. */
const DATABASE_GOAL = 0.85
const CONNECTIONS = 16
/** Before the first round everything is compiled and in memory. */
const FIRST_WARM_SECONDS = 5
const WARM_SECONDS = 1

/** What is asked: the question that the original was measured with, and goals are set for, or one to each domain. */
const QUESTIONS = [
  { name: 'one question', checks: () => grantedChecks().slice(0, 1) },
  { name: 'all domains in turn', checks: grantedChecks },
] as const

/** What ZMS answers, and what that costs it, beside the others. */
interface Ratios {
  readonly ofBare: number
  readonly cpuOfBare: number
  readonly ofPlain: number
}

/** Something that is sent requests. */
interface Target {
  readonly urls: readonly string[]
  readonly pids: readonly number[]
}

/**
 * Access checks over TLS with a client certificate on kept connections, 1,000 domains loaded, compared with the bare
 * server and with the least that Fastify can do. All are measured in turn, beginning and ending with the bare one; each
 * round is compared with the mean of its neighbours, so that a machine that gets slower or faster meanwhile tips no balance.
 */
export async function access(options: BenchOptions): Promise<BenchResult> {
  const tool = await openLoadTool()
  const tables: Table[] = []
  const goals: Goal[] = []
  for (const store of options.stores) {
    await using zms = await prepareZms(store, fillForAccess)
    const { table, ratios } = await measure(zms, tool, options)
    tables.push(table)
    const what = `access checks on the ${STORE_TITLES[store]}`
    if (store === 'file') {
      goals.push(goal(`${what}, part of bare`, '≥', FILE_GOAL, ratios.ofBare))
      goals.push(goal(`${what}, CPU ÷ bare`, '≤', FILE_CPU_GOAL, ratios.cpuOfBare))
    } else {
      goals.push(goal(`${what}, part of plain`, '≥', DATABASE_GOAL, ratios.ofPlain))
    }
  }
  return { tables, goals, notes: [`sent by ${tool.name} on ${CONNECTIONS} connections, on the same cores`] }
}

async function measure(zms: BenchZms, tool: LoadTool, options: BenchOptions) {
  await using servers = await zms.start()
  const { summary } = servers
  await using bare = await startBareServer(zms.server, summary.ca)
  await using plain = await startPlainServer(zms.server, summary.ca, zms.databaseUrl)
  const base = summary.zms ?? ''
  const pid = summary.pids.zms ?? 0
  const pids = zms.database ? [pid, zms.database.pid] : [pid]
  await requireAnswers(zms, summary.ca, base, grantedChecks())

  const common = { ca: summary.ca, client: zms.client, connections: CONNECTIONS, expected: [200] }
  const run = (target: Target, warmSeconds: number, seconds: number) =>
    tool.run({ ...common, ...target, warmSeconds, seconds })
  const limit: Target = { urls: [bare.url], pids: [bare.pid] }
  const ours = (paths: readonly string[]): Target => ({ urls: paths.map((path) => base + path), pids })
  const least = (paths: readonly string[]): Target => ({
    urls: paths.map((path) => plain.url.replace(/\/$/, `${ZMS.basePath}${path}`)),
    pids: [plain.pid, ...pids.slice(1)],
  })
  await run(limit, FIRST_WARM_SECONDS, 1)
  for (const target of [least, ours]) await run(target(grantedChecks()), FIRST_WARM_SECONDS, 1)

  const columns = [
    '',
    'requests/s',
    'p50 ms',
    'p99 ms',
    'CPU µs',
    'database CPU µs',
    'requests/s ÷ bare',
    'CPU ÷ bare',
    'requests/s ÷ plain',
  ]
  const rows: Table['rows'][number][] = []
  const ratios: Ratios[] = []
  const allBare: LoadResult[] = []
  for (const { name, checks } of QUESTIONS) {
    const bareRounds = [await run(limit, WARM_SECONDS, options.seconds)]
    const plainRounds: LoadResult[] = []
    const ourRounds: LoadResult[] = []
    for (let round = 0; round < options.rounds; round++) {
      plainRounds.push(await run(least(checks()), WARM_SECONDS, options.seconds))
      ourRounds.push(await run(ours(checks()), WARM_SECONDS, options.seconds))
      bareRounds.push(await run(limit, WARM_SECONDS, options.seconds))
    }
    const partOfBare = (rounds: readonly LoadResult[], of: (result: LoadResult) => number) =>
      median(rounds.map((result, round) => of(result) / neighbours(bareRounds, round, of)))
    const rate = ({ perSecond }: LoadResult) => perSecond
    const cpu = ({ cpuMicros }: LoadResult) => cpuMicros[0] ?? 0
    const ratio = partOfBare(ourRounds, rate)
    const ofPlain = median(ourRounds.map((our, round) => rate(our) / rate(plainRounds[round] as LoadResult)))
    const cpuOfBare = partOfBare(ourRounds, cpu)
    ratios.push({ ofBare: ratio, cpuOfBare, ofPlain })
    allBare.push(...bareRounds)
    rows.push(
      [`plain, ${name}`, ...figures(plainRounds), partOfBare(plainRounds, rate), partOfBare(plainRounds, cpu), 1],
      [`ZMS, ${name}`, ...figures(ourRounds), ratio, cpuOfBare, ofPlain],
    )
  }
  rows.unshift(['bare', ...figures(allBare), 1, 1, '-'])
  return {
    table: { title: `Access checks on the ${STORE_TITLES[zms.store]}`, columns, rows },
    ratios: ratios[0] as Ratios,
  }
}

/** A fast wrong answer is worth nothing. */
async function requireAnswers(zms: BenchZms, ca: string, base: string, checks: readonly string[]): Promise<void> {
  const [first = '', last = ''] = [checks[0], checks.at(-1)]
  const expected: [string, boolean][] = [
    [first, true],
    [last, true],
    [first.replace('table3', 'table4'), false],
    [first.replace('/read/', '/write/'), true],
    [first.replace('/read/', '/erase/'), false],
  ]
  for (const [path, granted] of expected) {
    const answer = await requestText(base + path, { client: zms.client, ca })
    if (answer !== JSON.stringify({ granted })) throw new Error(`${path}: ${answer}`)
  }
}
