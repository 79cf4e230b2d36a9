import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DevServers, startDevServers } from '../support/dev-servers.ts'
import { fillForAccess } from './bench-data.ts'
import { prepareZms, STORE_TITLES } from './bench-zms.ts'
import type { BenchOptions } from './options.ts'
import { type BenchResult, type Goal, goal, type Table } from './report.ts'
import { median } from './statistics.ts'

const FIRST_GOAL_SECONDS = 5
const SECOND_GOAL_SECONDS = 1.5

/**
 * From the command `bin/athenz dev` until all its servers answer their status with 200: the first start on a machine,
 * with nothing compiled and no key made, and later ones, without data and with 1,000 domains.
 */
export async function start(options: BenchOptions): Promise<BenchResult> {
  const rows: Table['rows'][number][] = []
  const goals: Goal[] = []
  const seconds = { unit: ' s' }
  const folder = await mkdtemp(join(tmpdir(), 'athenz-bench-'))
  try {
    const env = { ...process.env, NODE_COMPILE_CACHE: join(folder, 'compiled') }
    const dev = () => startDevServers({ dir: join(folder, 'dev'), zts: true, env })
    const first = await secondsToReady(dev)
    rows.push(['first start', 'none', first])
    goals.push(goal('first start', '≤', FIRST_GOAL_SECONDS, first, seconds))
    const second = await typical(options, () => secondsToReady(dev))
    rows.push(['later start', 'none', second])
    goals.push(goal('later start', '≤', SECOND_GOAL_SECONDS, second, seconds))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  for (const store of options.stores) {
    await using zms = await prepareZms(store, fillForAccess)
    const filled = await typical(options, () => secondsToReady(() => zms.start()))
    const title = STORE_TITLES[store]
    rows.push(['later start', `1,000 domains, ${title}`, filled])
    goals.push(goal(`later start with 1,000 domains on the ${title}`, '≤', SECOND_GOAL_SECONDS, filled, seconds))
  }
  return { tables: [{ title: 'Start', columns: ['', 'data', 'seconds'], rows }], goals }
}

/** The middle of several starts. */
async function typical({ rounds }: BenchOptions, startOnce: () => Promise<number>): Promise<number> {
  const seconds: number[] = []
  for (let round = 0; round < rounds; round++) seconds.push(await startOnce())
  return median(seconds)
}

async function secondsToReady(begin: () => Promise<DevServers>): Promise<number> {
  const began = performance.now()
  const servers = await begin()
  const seconds = (performance.now() - began) / 1000
  await servers[Symbol.asyncDispose]()
  return seconds
}
