import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { pageVisits, type Sights, unvisited } from '../ui/page-visits.ts'
import { type Shown, Visitor } from '../ui/visitor.ts'
import { prepareZms, STORE_TITLES, type StoreKind } from './bench-zms.ts'
import type { BenchOptions } from './options.ts'
import { fillForPages, LARGE_SIGHTS } from './page-data.ts'
import type { BenchResult, Goal, Table } from './report.ts'
import { median } from './statistics.ts'

const GOAL_MILLIS = 200
const GOAL_CALLS = 3
const LEAST_ROUNDS = 5
/** The clock of the kernel, in which `/proc` counts processor time. */
const TICK_MILLIS = 10

/**
 * Every page of the web page, for the administrator of a company (`page-data`): the time that its servers need, and how
 * often ZMS is asked. The first request for a page counts by itself; goals are about the middle of the others.
 */
export async function pages(options: BenchOptions): Promise<BenchResult> {
  const tables: Table[] = []
  const goals: Goal[] = []
  for (const store of options.stores) {
    const measured = await measurePages(store, Math.max(options.rounds, LEAST_ROUNDS))
    tables.push({
      title: `Pages, ${STORE_TITLES[store]}`,
      columns: ['page', 'first ms', 'ms', 'of ZMS', 'CPU ms', 'calls', 'KiB'],
      rows: measured.map((each) => [
        each.target,
        each.firstMillis,
        each.millis,
        each.zmsMillis,
        each.cpuMillis,
        each.calls,
        each.kibibytes,
      ]),
    })
    goals.push(...measured.map((each) => pageGoal(store, each)))
  }
  return { tables, goals }
}

const pageGoal = (store: StoreKind, { target, millis, calls }: MeasuredPage): Goal => ({
  wanted: `${target} on the ${STORE_TITLES[store]} ≤ ${GOAL_MILLIS} ms of server time, ≤ ${GOAL_CALLS} calls to ZMS`,
  reached: millis <= GOAL_MILLIS && calls <= GOAL_CALLS,
  figure: `${millis.toFixed(0)} ms, ${calls} calls`,
})

/** What a page costs. Times are those that the server tells; all but the first are the middle of several requests. */
interface MeasuredPage {
  /** Path and query. */
  readonly target: string
  readonly firstMillis: number
  readonly millis: number
  /** Part of it during which ZMS was asked. */
  readonly zmsMillis: number
  /** Processor time of ZMS and the web page for a request. */
  readonly cpuMillis: number
  readonly calls: number
  readonly kibibytes: number
}

async function measurePages(store: StoreKind, rounds: number): Promise<MeasuredPage[]> {
  await using zms = await prepareZms(store, fillForPages)
  await using servers = await zms.start({}, 'ui')
  const { summary } = servers
  const admin = await Visitor.signedIn(summary)
  const pids = [summary.pids.zms, summary.pids.ui].filter((pid) => pid !== null)
  const policy = await shown(admin, `/domain/${LARGE_SIGHTS.domain}/policy/${LARGE_SIGHTS.policy}`)
  const assertion = /\/version\/0\/assertion\/(\d+)/.exec(policy.text)?.[1]
  if (assertion === undefined) throw new Error('the policy shows no assertion')
  const sights: Sights = { ...LARGE_SIGHTS, assertion }
  const visits = pageVisits(sights)
  const missing = unvisited(visits)
  if (missing.length > 0) throw new Error(`pages that are not measured: ${missing.join(', ')}`)
  const measured: MeasuredPage[] = []
  for (const target of visits) measured.push(await measurePage(admin, target, pids, rounds))
  return measured
}

async function measurePage(
  admin: Visitor,
  target: string,
  pids: readonly number[],
  rounds: number,
): Promise<MeasuredPage> {
  const first = timing(await shown(admin, target))
  // What the first request leaves to be done is not counted for the others.
  await sleep(TICK_MILLIS)
  const before = await cpuMillisOf(pids)
  const timings = []
  for (let round = 0; round < rounds; round++) timings.push(timing(await shown(admin, target)))
  const cpuMillis = ((await cpuMillisOf(pids)) - before) / rounds
  return {
    target,
    firstMillis: first.millis,
    millis: median(timings.map(({ millis }) => millis)),
    zmsMillis: median(timings.map(({ zmsMillis }) => zmsMillis)),
    cpuMillis,
    calls: Math.max(first.calls, ...timings.map(({ calls }) => calls)),
    kibibytes: first.bytes / 1024,
  }
}

async function shown(admin: Visitor, target: string): Promise<Shown> {
  const page = await admin.get(target)
  if (page.status !== 200) throw new Error(`${target}: ${page.status} ${page.heading}`)
  return page
}

/** What the answer tells of its making. Throws Error when it tells nothing. */
function timing({ headers, text }: Shown) {
  const header = String(headers['server-timing'] ?? '')
  const [, calls, zmsMillis, millis] = /^zms;desc="(\d+) calls";dur=([\d.]+), total;dur=([\d.]+)$/.exec(header) ?? []
  if (millis === undefined) throw new Error(`no server time: ${header}`)
  return {
    calls: Number(calls),
    zmsMillis: Number(zmsMillis),
    millis: Number(millis),
    bytes: Buffer.byteLength(text),
  }
}

/** Processor time of processes so far. */
async function cpuMillisOf(pids: readonly number[]): Promise<number> {
  let ticks = 0
  for (const pid of pids) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    ticks += Number(fields[11]) + Number(fields[12])
  }
  return ticks * TICK_MILLIS
}
