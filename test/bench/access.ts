import { readFile } from 'node:fs/promises'
import https from 'node:https'
import { startBareServer } from './bare-server.ts'
import { fillForAccess, grantedChecks } from './bench-data.ts'
import { type BenchZms, prepareZms, STORE_TITLES, type StoreKind } from './bench-zms.ts'
import { type Load, type LoadResult, type LoadTool, openLoadTool } from './load-tool.ts'
import type { BenchOptions } from './options.ts'
import { type BenchResult, type Goal, goal, median, type Table } from './report.ts'

/** Requests per second in proportion to the bare server. */
const GOALS: Readonly<Record<StoreKind, number>> = { file: 0.7, mysql: 0.6 }
const CONNECTIONS = 16
/** Before the first round everything is compiled and in memory. */
const FIRST_WARM_SECONDS = 4
const WARM_SECONDS = 1

/**
 * Access checks over TLS with a client certificate on kept connections, all over the domains in turn, compared with the
 * bare server. Both are measured in turn, beginning and ending with the bare one; each round is compared with the mean
 * of its neighbours, so that a machine that gets slower or faster meanwhile tips no balance.
 */
export async function access(options: BenchOptions): Promise<BenchResult> {
  const tool = await openLoadTool()
  const tables: Table[] = []
  const goals: Goal[] = []
  for (const store of options.stores) {
    await using zms = await prepareZms(store, fillForAccess)
    const { table, ratio } = await measure(zms, tool, options)
    tables.push(table)
    goals.push(goal(`access checks on the ${STORE_TITLES[store]}, part of bare`, '≥', GOALS[store], ratio))
  }
  return { tables, goals, notes: [`sent by ${tool.name} on ${CONNECTIONS} connections, on the same cores`] }
}

async function measure(zms: BenchZms, tool: LoadTool, options: BenchOptions): Promise<{ table: Table; ratio: number }> {
  await using servers = await zms.start()
  const { summary } = servers
  await using bare = await startBareServer(zms.server, summary.ca)
  const pid = summary.pids.zms ?? 0
  const checks = grantedChecks()
  await requireAnswers(zms, summary.ca, summary.zms ?? '', checks)

  const common = { ca: summary.ca, client: zms.client, connections: CONNECTIONS, expected: [200] }
  const ours: Pick<Load, 'urls' | 'pids'> = {
    urls: checks.map((path) => summary.zms + path),
    pids: zms.database ? [pid, zms.database.pid] : [pid],
  }
  const limit: Pick<Load, 'urls' | 'pids'> = { urls: [bare.url], pids: [bare.pid] }
  const run = (target: typeof ours, warmSeconds: number, seconds: number) =>
    tool.run({ ...common, ...target, warmSeconds, seconds })
  await run(limit, FIRST_WARM_SECONDS, 1)
  await run(ours, FIRST_WARM_SECONDS, 1)

  const bareRounds = [await run(limit, WARM_SECONDS, options.seconds)]
  const ourRounds: LoadResult[] = []
  for (let round = 0; round < options.rounds; round++) {
    ourRounds.push(await run(ours, WARM_SECONDS, options.seconds))
    bareRounds.push(await run(limit, WARM_SECONDS, options.seconds))
  }
  const ratios = (of: (result: LoadResult) => number) =>
    median(ourRounds.map((our, round) => of(our) / neighbours(bareRounds, round, of)))
  const ratio = ratios(({ perSecond }) => perSecond)
  const cpuRatio = ratios(({ cpuMicros }) => cpuMicros[0] ?? 0)
  const row = (name: string, rounds: readonly LoadResult[], rest: readonly (string | number)[]) => {
    const middle = (of: (result: LoadResult) => number) => median(rounds.map(of))
    return [
      name,
      middle(({ perSecond }) => perSecond),
      middle(({ p50Millis }) => p50Millis),
      middle(({ p99Millis }) => p99Millis),
      middle(({ cpuMicros }) => cpuMicros[0] ?? 0),
      zms.database ? middle(({ cpuMicros }) => cpuMicros[1] ?? 0) : '-',
      ...rest,
    ]
  }
  const columns = ['', 'requests/s', 'p50 ms', 'p99 ms', 'CPU µs', 'database CPU µs', 'requests/s ÷ bare', 'CPU ÷ bare']
  const title = `Access checks on the ${STORE_TITLES[zms.store]}`
  const rows = [row('bare', bareRounds, [1, 1]), row('ZMS', ourRounds, [ratio, cpuRatio])]
  return { table: { title, columns, rows }, ratio }
}

function neighbours(rounds: readonly LoadResult[], round: number, of: (result: LoadResult) => number): number {
  return median([rounds[round], rounds[round + 1]].map((result) => (result ? of(result) : Number.NaN)))
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
  const [cert, key, trusted] = await Promise.all(
    [zms.client.certificate, zms.client.key, ca].map((file) => readFile(file)),
  )
  for (const [path, granted] of expected) {
    const answer = await get(base + path, { cert, key, ca: trusted })
    if (answer !== JSON.stringify({ granted })) throw new Error(`${path}: ${answer}`)
  }
}

function get(url: string, options: https.RequestOptions): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const request = https.get(url, { ...options, agent: false }, (response) => {
    let text = ''
    response.setEncoding('utf8').on('data', (part: string) => {
      text += part
    })
    response.on('end', () => resolve(text)).on('error', reject)
  })
  request.on('error', reject)
  return promise
}
