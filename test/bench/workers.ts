import { availableParallelism } from 'node:os'
import { workersOf } from '../support/worker-servers.ts'
import { startBareServer, startBareWorkers } from './bare-server.ts'
import { fillForAccess, grantedChecks } from './bench-data.ts'
import { type BenchZms, prepareZms, STORE_TITLES } from './bench-zms.ts'
import { type LoadResult, type LoadTool, openLoadTool } from './load-tool.ts'
import type { BenchOptions } from './options.ts'
import { type BenchResult, type Goal, goal, type Table } from './report.ts'
import { median } from './statistics.ts'

const GOAL = 1.6
const CONNECTIONS = 16
const WARM_SECONDS = 3
const WORKER_COUNTS = [1, 2] as const

/**
 * What is asked: something so cheap that the load tool costs as much, something whose answer costs the load tool as much as
 * the server, and something that leaves it next to nothing to do: where the load tool has the same cores, only there is
 * room for a second worker.
 */
const QUESTIONS = [
  { name: 'access checks', paths: () => grantedChecks().slice(0, 1), isGoal: false },
  { name: 'lists of all domains', paths: () => ['/domain'], isGoal: false },
  { name: 'searches', paths: () => ['/sys/search?text=read'], isGoal: true },
] as const

type Measured = Readonly<Record<(typeof WORKER_COUNTS)[number], LoadResult[]>>

/**
 * What a second worker is worth, beside what it is worth to the bare server in two processes: that is what the machine
 * leaves room for, with the load tool on the same cores. One worker is the server as a single process.
 */
export async function workers(options: BenchOptions): Promise<BenchResult> {
  const tool = await openLoadTool()
  const tables: Table[] = []
  const goals: Goal[] = []
  for (const store of options.stores) {
    await using zms = await prepareZms(store, fillForAccess)
    const { rows, ratios } = await measure(zms, tool, options)
    const columns = ['', 'workers', 'requests/s', 'p50 ms', 'p99 ms', 'CPU µs', 'requests/s ÷ 1 worker']
    tables.push({ title: `Workers on the ${STORE_TITLES[store]}`, columns, rows })
    for (const [name, ratio] of ratios) {
      // A database on the same cores takes what a second worker would need.
      if (store === 'file')
        goals.push(goal(`${name} on the ${STORE_TITLES[store]}, two workers ÷ one`, '≥', GOAL, ratio))
    }
  }
  const cores = availableParallelism()
  return { tables, goals, notes: [`sent by ${tool.name} on ${CONNECTIONS} connections, on the same ${cores} cores`] }
}

async function measure(zms: BenchZms, tool: LoadTool, { seconds, rounds }: BenchOptions) {
  const bare: Measured = { 1: [], 2: [] }
  const ours = QUESTIONS.map((question): { question: typeof question; measured: Measured } => ({
    question,
    measured: { 1: [], 2: [] },
  }))
  const common = { client: zms.client, connections: CONNECTIONS, warmSeconds: WARM_SECONDS, seconds, expected: [200] }
  for (let round = 0; round < rounds; round++) {
    for (const count of WORKER_COUNTS) {
      await using servers = await zms.start({ 'athenz.zms.workers': String(count) })
      const { ca, zms: base, pids } = servers.summary
      const pid = pids.zms ?? 0
      const all = [pid, ...(await workersOf(pid))]
      for (const { question, measured } of ours) {
        const urls = question.paths().map((path) => base + path)
        measured[count].push(await tool.run({ ...common, ca, urls, pids: all }))
      }
      await using limit = await (count === 1
        ? startBareServer(zms.server, ca)
        : startBareWorkers(zms.server, ca, count))
      const bareAll = [limit.pid, ...(await workersOf(limit.pid))]
      bare[count].push(await tool.run({ ...common, ca, urls: [limit.url], pids: bareAll }))
    }
  }
  const rows: Table['rows'][number][] = rowsOf('bare', bare)
  const ratios = new Map<string, number>()
  for (const { question, measured } of ours) {
    rows.push(...rowsOf(question.name, measured))
    if (question.isGoal) ratios.set(question.name, ratioOf(measured))
  }
  return { rows, ratios }
}

const rate = ({ perSecond }: LoadResult) => perSecond

/** Of what was measured one after the other. */
const ratioOf = (measured: Measured): number =>
  median(measured[2].map((two, round) => rate(two) / rate(measured[1][round] as LoadResult)))

const rowsOf = (name: string, measured: Measured): Table['rows'][number][] =>
  WORKER_COUNTS.map((count) => {
    const middle = (of: (result: LoadResult) => number) => median(measured[count].map(of))
    return [
      name,
      String(count),
      middle(rate),
      middle(({ p50Millis }) => p50Millis),
      middle(({ p99Millis }) => p99Millis),
      middle(({ cpuMicros }) => cpuMicros.reduce((sum, each) => sum + each, 0)),
      count === 1 ? 1 : ratioOf(measured),
    ]
  })
