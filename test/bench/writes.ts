import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { MariaDb } from '../support/mariadb.ts'
import { startBareServer } from './bare-server.ts'
import { ADMINISTERED, fillForWrites } from './bench-data.ts'
import { type BenchZms, prepareZms, STORE_TITLES } from './bench-zms.ts'
import { type Load, type LoadTool, openLoadTool } from './load-tool.ts'
import type { BenchOptions } from './options.ts'
import { type BenchResult, type Goal, goal, type Table } from './report.ts'
import { canCountSystemCalls, countFlushes } from './system-calls.ts'

/** Five times the original, which wrote 200 memberships a second where the bare server answered 10,000 requests. */
const MEMBERSHIP_GOAL = 0.1
const MANY_CONNECTIONS = 16
const FLUSH_SECONDS = 1
/** Names of members that a run makes begin here, times its number: every membership is a new one. */
const RUN_STEP = 10_000_000
/** Roles of a domain that memberships are written to in turn. */
const ROLES = 20
/** Every membership is new, and more of them than anybody has fit into seconds. */
const SETTINGS = { 'athenz.zms.quota_role_member': '100000000' }

/** A kind of write. */
interface Write {
  readonly name: string
  readonly paths: (domain: string) => string[]
  readonly body: string
}

const WRITES: readonly Write[] = [
  {
    name: 'role',
    paths: (domain) => [`/domain/${domain}/role/written`],
    body: JSON.stringify({
      name: 'written',
      roleMembers: ['user.a', 'user.b', 'user.c', 'user.d{i}', 'user.e{i}'].map((memberName) => ({ memberName })),
    }),
  },
  {
    name: 'membership',
    paths: (domain) =>
      Array.from({ length: ROLES }, (_, role) => `/domain/${domain}/role/role${role}/member/user.m{i}`),
    body: JSON.stringify({ memberName: 'user.m{i}' }),
  },
]

const TARGETS = [
  { name: 'one domain', domains: ADMINISTERED.slice(0, 1) },
  { name: `${ADMINISTERED.length} domains`, domains: ADMINISTERED },
] as const

/**
 * Writes of roles (five members, two of them new each time) and of new memberships, to one domain and to many, on one
 * connection and on many, with what each takes: CPU, SQL statements, flushes to the disk.
 */
export async function writes(options: BenchOptions): Promise<BenchResult> {
  const tool = await openLoadTool()
  const countsFlushes = await canCountSystemCalls()
  const tables: Table[] = []
  const goals: Goal[] = []
  for (const store of options.stores) {
    await using zms = await prepareZms(store, fillForWrites)
    const { table, reached } = await measure(zms, tool, options, countsFlushes)
    tables.push(table)
    if (reached !== undefined) {
      const what = `memberships written on ${STORE_TITLES[store]}, ${MANY_CONNECTIONS} connections, part of bare`
      goals.push(goal(what, '≥', MEMBERSHIP_GOAL, reached))
    }
  }
  const notes = [`sent by ${tool.name}, on the same cores`]
  if (!countsFlushes) notes.push('flushes are not counted: strace is not installed, or may not be used')
  return { tables, goals, notes }
}

async function measure(zms: BenchZms, tool: LoadTool, options: BenchOptions, countsFlushes: boolean) {
  await using servers = await zms.start(SETTINGS)
  const { summary } = servers
  const pid = summary.pids.zms ?? 0
  const { database } = zms
  const pids = database ? [pid, database.pid] : [pid]
  await using bare = await startBareServer(zms.server, summary.ca)
  const common = { ca: summary.ca, client: zms.client, warmSeconds: 0, seconds: options.seconds }
  let run = 0
  const write = (kind: Write, domains: readonly string[], load: Pick<Load, 'connections'> & Partial<Load>) =>
    tool.run({
      ...common,
      method: 'PUT',
      urls: interleaved(domains.map((domain) => kind.paths(domain).map((path) => summary.zms + path))),
      body: kind.body,
      first: ++run * RUN_STEP,
      pids,
      expected: [204],
      ...load,
    })

  const limit = await tool.run({ ...common, urls: [bare.url], connections: 16, warmSeconds: 2, expected: [200] })
  const flushesPerSecond = await measureFlushes(zms.folder, options.seconds / 2)
  for (const kind of WRITES) await write(kind, ADMINISTERED, { connections: MANY_CONNECTIONS, seconds: 2 })

  const rows: (string | number)[][] = [
    ['limit: a line appended and flushed, one after the other', 1, flushesPerSecond, '-', '-', '-', '-', '-', 1],
    [
      'limit: answers of the bare server',
      MANY_CONNECTIONS,
      limit.perSecond,
      limit.p50Millis,
      limit.p99Millis,
      '-',
      '-',
      '-',
      '-',
    ],
  ]
  let reached: number | undefined
  for (const kind of WRITES) {
    for (const target of TARGETS) {
      for (const connections of [1, MANY_CONNECTIONS]) {
        const statementsBefore = await statements(database)
        const result = await write(kind, target.domains, { connections })
        const statementsAfter = await statements(database)
        const flushed = countsFlushes
          ? await flushesPerWrite(database?.pid ?? pid, () =>
              write(kind, target.domains, { connections, seconds: FLUSH_SECONDS }),
            )
          : '-'
        const [cpu = 0, databaseCpu = '-'] = result.cpuMicros
        const sql = database ? (statementsAfter - statementsBefore) / result.count : '-'
        const { perSecond, p50Millis, p99Millis } = result
        const name = `${kind.name}, ${target.name}`
        rows.push([name, connections, perSecond, p50Millis, p99Millis, cpu, databaseCpu, sql, flushed])
        if (database && kind.name === 'membership' && target.domains === ADMINISTERED && connections > 1) {
          reached = perSecond / limit.perSecond
        }
      }
    }
  }
  const columns = [
    '',
    'connections',
    'writes/s',
    'p50 ms',
    'p99 ms',
    'CPU µs',
    'database CPU µs',
    'SQL statements',
    'flushes',
  ]
  return { table: { title: `Writes on the ${STORE_TITLES[zms.store]}, each`, columns, rows }, reached }
}

/** First elements of all lists, then their second ones, and so on: neighbours in time are in different domains. */
function interleaved<T>(lists: readonly (readonly T[])[]): T[] {
  const length = Math.max(...lists.map((list) => list.length))
  return Array.from({ length }, (_, index) => lists.flatMap((list) => list.slice(index, index + 1))).flat()
}

/** Statements that the database has got so far. */
async function statements(database: MariaDb | undefined): Promise<number> {
  const [row] = (await database?.query<{ Value: string }>("SHOW GLOBAL STATUS LIKE 'Questions'")) ?? []
  return Number(row?.Value ?? 0)
}

async function flushesPerWrite(pid: number, write: () => Promise<{ count: number }>): Promise<number> {
  let count = 0
  const flushes = await countFlushes(pid, async () => {
    count = (await write()).count
  })
  return flushes / count
}

const LINE = Buffer.alloc(512, 'x')

/** How often a second this disk takes a line. */
async function measureFlushes(folder: string, seconds: number): Promise<number> {
  const path = join(folder, 'flushes')
  const file = await open(path, 'a')
  try {
    const start = performance.now()
    let count = 0
    for (; performance.now() - start < seconds * 1000; count++) {
      await file.write(LINE)
      await file.datasync()
    }
    return (count * 1000) / (performance.now() - start)
  } finally {
    await file.close()
    await rm(path)
  }
}
