import { setTimeout as pause } from 'node:timers/promises'
import { findGalera } from '../support/galera.ts'
import { until } from '../support/until.ts'
import { ClusterNetwork } from './cluster-network.ts'
import { type Pair, startTwoPairs } from './cluster-servers.ts'
import type { Fault } from './faults.ts'
import { GaleraCluster } from './galera-cluster.ts'
import { HttpsClient } from './https-client.ts'
import { judge } from './judgement.ts'
import { ReadinessWatch } from './readiness-watch.ts'
import { DOMAINS, partsOf, registersOf } from './registers.ts'
import { CROWD, Workload } from './workload.ts'
import { ZtsWatch } from './zts-watch.ts'

/** What a run is made of. */
export interface ClusterRunOptions {
  readonly faults: readonly Fault[]
  readonly clients: number
  readonly registersOfEachKind: number
  readonly faultMillis: number
  /** How long the nodes wait for a silent one; Galera's own time when absent. */
  readonly suspectMillis?: number
  readonly databaseTimeoutMillis: number
  /** For the data and the logs of all. */
  readonly folder: string
}

const NODES = 3
const CLIENT_TIMEOUT_MILLIS = 15_000
const CALM_MILLIS = 1_000
const RECOVERY_MILLIS = 60_000

/** Starts everything, breaks it, waits until it is whole again, and prints what was found; whether that is nothing. */
export async function runCluster(options: ClusterRunOptions): Promise<boolean> {
  const started = performance.now()
  const log = (text: string) =>
    console.log(`${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s  ${text}`)
  const { folder, suspectMillis, databaseTimeoutMillis } = options
  const network = await ClusterNetwork.lay(NODES)
  let isGood = false
  try {
    const provider = (await findGalera()) as string
    const galera = { network, nodes: NODES, folder, provider, ...(suspectMillis !== undefined && { suspectMillis }) }
    await using cluster = await GaleraCluster.start(galera)
    log(`${NODES} nodes are a cluster`)
    const pairs = await startTwoPairs({ cluster, folder, databaseTimeoutMillis })
    log('two ZMS and two ZTS answer')
    try {
      isGood = await breakOnPurpose(options, cluster, pairs, log)
    } finally {
      await Promise.all(pairs.map((pair) => pair[Symbol.asyncDispose]()))
    }
  } finally {
    network.close()
  }
  return isGood
}

async function breakOnPurpose(
  options: ClusterRunOptions,
  cluster: GaleraCluster,
  pairs: readonly [Pair, Pair],
  log: (text: string) => void,
): Promise<boolean> {
  const [zms, zts] = [pairs.map(({ summary }) => summary.zms ?? ''), pairs.map(({ summary }) => summary.zts ?? '')]
  const http = await HttpsClient.open(pairs[0].summary, CLIENT_TIMEOUT_MILLIS)
  const registers = registersOf(options.registersOfEachKind)
  await prepare(http, zms[0] ?? '', options.registersOfEachKind)
  const workload = new Workload({ http, zms, registers, clients: options.clients, pauseMillis: 20 })
  const watches = zts.map((base) => new ZtsWatch(http, base, registers))
  const readiness = pairs.map(({ opsUrl }) => new ReadinessWatch(opsUrl))

  const stop = new AbortController()
  const work = Promise.all([workload, ...watches, ...readiness].map((each) => each.run(stop.signal)))
  const rows: FaultRow[] = []
  await pause(CALM_MILLIS)
  try {
    for (const fault of options.faults) {
      const row = await happen(fault, options.faultMillis, { cluster, workload, zms, readiness })
      rows.push(row)
      log(
        `${row.fault.name}: longest time without an acknowledged write ${row.silences.map(seconds).join(' and ')} ` +
          `(ZMS 1 and 2), /readyz ${row.readiness.map(statusText).join(' and ')}, ` +
          `whole again ${seconds(row.wholeMillis)} after the end`,
      )
      await pause(CALM_MILLIS)
    }
  } finally {
    stop.abort()
    await work
  }
  await until(async () => (await workload.readAll()) === 0, {
    timeoutMillis: RECOVERY_MILLIS,
    what: 'everything can be read through both ZMS',
  })
  const problems = [...rows.flatMap(readinessProblems), ...(await judge({ http, zms, workload, watches, cluster }))]
  http.close()
  const total = [...workload.outcomes.values()].reduce((sum, count) => sum + count, 0)
  log(
    `${total} requests: ${[...workload.outcomes]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([what, count]) => `${what} ${count}×`)
      .join(', ')}`,
  )
  log(`${workload.acknowledged.length} writes were acknowledged, ${workload.races} deletions met creations`)
  const sightings = watches.flatMap((watch) => [...watch.sightings.values()].flat())
  const decisions = sightings.filter(({ value }) => typeof value === 'boolean').length
  log(`ZTS showed ${sightings.length - decisions} changes of public keys and ${decisions} of decisions`)
  for (const problem of problems) log(`PROBLEM ${problem}`)
  log(
    problems.length === 0
      ? 'no write lost, no answer too old, nothing torn; recovered alone'
      : `${problems.length} problems`,
  )
  return problems.length === 0
}

async function prepare(http: HttpsClient, base: string, ofEachKind: number): Promise<void> {
  const ask = async (method: string, path: string, body: object) => {
    const answer = await http.ask(`${base}${path}`, method, body)
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`)
  }
  for (const name of DOMAINS) {
    await ask('POST', '/domain', { name, adminUsers: ['user.admin'] })
    await ask('PUT', `/domain/${name}/role/${CROWD}`, { name: CROWD })
  }
  for (const { method, path, body = {} } of partsOf(ofEachKind)) await ask(method, path, body)
}

/** What a fault did. */
interface FaultRow {
  readonly fault: Fault
  /** For each ZMS, the longest time without an acknowledged write from the beginning until everything was whole. */
  readonly silences: readonly number[]
  /** For each ZMS, the statuses of `/readyz` meanwhile that are not those of a ready server. */
  readonly readiness: readonly (readonly number[])[]
  /** From the end of the fault until all nodes were members again, each ZMS was ready and had acknowledged a write. */
  readonly wholeMillis: number
}

const NOT_READY = 503

/** Health says nothing else than ready and not ready, and not ready when there is no database at all. */
function readinessProblems({ fault, readiness }: FaultRow): string[] {
  return readiness.flatMap((statuses, server) => {
    const other = statuses.filter((status) => status !== NOT_READY)
    return [
      ...other.map((status) => `ZMS ${server + 1}: /readyz answered ${status} during "${fault.name}"`),
      ...(fault.leavesNothing && !statuses.includes(NOT_READY)
        ? [`ZMS ${server + 1} said that it was ready during "${fault.name}"`]
        : []),
    ]
  })
}

const statusText = (statuses: readonly number[]) => (statuses.length === 0 ? 'ready' : statuses.join(', '))

async function happen(
  fault: Fault,
  millis: number,
  {
    cluster,
    workload,
    zms,
    readiness,
  }: {
    readonly cluster: GaleraCluster
    readonly workload: Workload
    readonly zms: readonly string[]
    readonly readiness: readonly ReadinessWatch[]
  },
): Promise<FaultRow> {
  const begunAt = performance.now()
  await fault.begin(cluster)
  await pause(millis)
  await fault.end(cluster)
  const endedAt = performance.now()
  await cluster.synced()
  const syncedAt = performance.now()
  const writes = (server: number) => workload.acknowledged.filter((write) => write.server === server)
  await until(() => [...zms.keys()].every((server) => (writes(server).at(-1)?.at ?? 0) > syncedAt), {
    timeoutMillis: RECOVERY_MILLIS,
    what: `an acknowledged write through each ZMS after "${fault.name}"`,
  })
  await until(() => readiness.every(({ isReady }) => isReady), {
    timeoutMillis: RECOVERY_MILLIS,
    what: `that each ZMS is ready after "${fault.name}"`,
  })
  const wholeAt = performance.now()
  const silenceOf = (server: number) => {
    const times = writes(server).map(({ at }) => at)
    const within = [begunAt, ...times.filter((at) => at > begunAt && at < wholeAt), wholeAt]
    return Math.max(...within.slice(1).map((at, index) => at - (within[index] as number)))
  }
  return {
    fault,
    silences: [...zms.keys()].map(silenceOf),
    readiness: readiness.map((watch) => watch.failuresSince(begunAt)),
    wholeMillis: wholeAt - endedAt,
  }
}

const seconds = (millis: number) => `${(millis / 1000).toFixed(1)} s`
