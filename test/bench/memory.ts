import { startBareServer } from './bare-server.ts'
import { fillForAccess, grantedChecks } from './bench-data.ts'
import { prepareZms, STORE_TITLES } from './bench-zms.ts'
import { openLoadTool } from './load-tool.ts'
import type { BenchOptions } from './options.ts'
import { memoryOf } from './process-memory.ts'
import { type BenchResult, type Goal, goal, type Table } from './report.ts'

const GOAL_MIB = 150
const CONNECTIONS = 16

/**
 * Resident memory of a fresh server process with 1,000 domains of 20 roles, 20 policies and 5 services, and after access
 * checks in all of them; beside it that of the bare server.
 */
export async function memory(options: BenchOptions): Promise<BenchResult> {
  const tool = await openLoadTool()
  const goals: Goal[] = []
  const rows: Table['rows'][number][] = []
  for (const store of options.stores) {
    await using zms = await prepareZms(store, fillForAccess)
    await using servers = await zms.start()
    const { summary } = servers
    const pid = summary.pids.zms ?? 0
    await using bare = await startBareServer(zms.server, summary.ca)
    const started = await memoryOf(pid)
    const bareStarted = await memoryOf(bare.pid)
    const load = { ca: summary.ca, client: zms.client, connections: CONNECTIONS, warmSeconds: 0, expected: [200] }
    await tool.run({ ...load, urls: [bare.url], seconds: options.seconds })
    await tool.run({ ...load, urls: grantedChecks().map((path) => summary.zms + path), seconds: 2 * options.seconds })
    const loaded = await memoryOf(pid)
    const bareLoaded = await memoryOf(bare.pid)
    const title = STORE_TITLES[store]
    rows.push(
      ['bare', 'after the start', ...Object.values(bareStarted)],
      ['bare', 'after load', ...Object.values(bareLoaded)],
      [title, 'after the start', ...Object.values(started)],
      [title, 'after load', ...Object.values(loaded)],
    )
    const mebibytes = { unit: ' MiB', digits: 0 }
    goals.push(
      goal(`memory of ZMS on the ${title} after the start`, '≤', GOAL_MIB, started.residentMib, mebibytes),
      goal(`memory of ZMS on the ${title} after load`, '≤', GOAL_MIB, loaded.residentMib, mebibytes),
    )
  }
  const columns = ['', 'when', 'resident MiB', 'of that its own', 'of programs and libraries']
  return { tables: [{ title: 'Memory with 1,000 domains', columns, rows }], goals }
}
