import { recordDatabase, recordSettings } from '../../support/record-settings.ts'
import { startBareServer } from '../bare-server.ts'
import { type BenchZms, prepareZms, type StoreKind } from '../bench-zms.ts'
import { replaceAuthority, waitForInstanceDomain } from '../instance-load.ts'
import type { LoadResult, LoadTool } from '../load-tool.ts'
import { opensslSignatures } from '../openssl-speed.ts'
import { median, ratioByTurns } from '../statistics.ts'
import type { Figures } from './row.ts'
import type { Scenario, ScenarioLoad, World } from './scenario.ts'
import type { Size } from './sizes.ts'
import { fillSuite } from './suite-data.ts'

const CONNECTIONS = 16
/** Before the first round: so many requests that the server is compiled, or as many as fit into the time. */
const FIRST_REQUESTS = 5000
const FIRST_SECONDS = 3
const WARM_SECONDS = 0.5
/** The bare server needs less time: it has the same to do in every run. */
const BARE_PART = 0.5
/** Numbers of a run begin here, times its own: what is written is new. */
const RUN_STEP = 10_000_000
/** New members fit in. */
const SETTINGS = { 'athenz.zms.quota_role_member': '100000000', 'athenz.zms.quota_role': '100000' }

/** How long and how often is measured. */
export interface Effort {
  readonly seconds: number
  readonly rounds: number
}

/** Makes data for servers of which some are started. */
export async function prepareSuite(
  store: StoreKind,
  domains: number,
  sizes: readonly Size[],
  withZts: boolean,
): Promise<BenchZms> {
  const zms = await prepareZms(store, (contract) => fillSuite(contract, domains, sizes), withZts ? {} : undefined)
  if (withZts) await replaceAuthority(zms.folder)
  return zms
}

/** Servers that run, with a bare one beside them. */
export interface Session extends AsyncDisposable {
  readonly world: World
  /** Of the server that is asked. */
  readonly pid: number
  /** Sends the requests of a scenario, and the bare server its own before and after each round. */
  measure(scenario: Scenario, size: Size, effort: Effort): Promise<Figures>
  /** Sends them without measuring anything. */
  warm(scenario: Scenario, size: Size, seconds: number): Promise<void>
}

/** Starts ZMS, and with `zts` ZTS beside it, which then has all domains; requests go to the named one. */
export async function openSession(zms: BenchZms, server: 'zms' | 'zts', tool: LoadTool): Promise<Session> {
  await using resources = new AsyncDisposableStack()
  const records = server === 'zts' ? recordSettings(zms.database && (await recordDatabase(zms.database))) : {}
  const servers = resources.use(await zms.start({ ...SETTINGS, ...records }, server === 'zts' ? 'all' : 'zms'))
  const { summary } = servers
  if (server === 'zts') await waitForInstanceDomain(zms, servers)
  const bare = resources.use(await startBareServer(zms.server, summary.ca))
  const pid = summary.pids[server] ?? 0
  const pids = zms.database ? [pid, zms.database.pid] : [pid]
  const world: World = { zms, servers, base: summary[server] ?? '' }
  const common = { ca: summary.ca, client: zms.client, connections: CONNECTIONS }

  const runBare = (warmSeconds: number, seconds: number) =>
    tool.run({ ...common, urls: [bare.url], pids: [bare.pid], expected: [200], warmSeconds, seconds })
  let runs = 0
  const run = (load: ScenarioLoad, warmSeconds: number, seconds: number, requests?: number) =>
    tool.run({
      ...common,
      ...load,
      first: ++runs * RUN_STEP,
      pids,
      warmSeconds,
      seconds,
      ...(requests !== undefined && { requests }),
    })
  let lastBare: LoadResult | undefined

  const session: Omit<Session, keyof AsyncDisposable> = {
    world,
    pid,
    async measure(scenario, size, { seconds, rounds }) {
      const bareSeconds = seconds * BARE_PART
      const load = await scenario.load(world, size)
      await run(load, 0, FIRST_SECONDS, FIRST_REQUESTS)
      const limits = [lastBare ?? (await runBare(FIRST_SECONDS, bareSeconds))]
      const results: LoadResult[] = []
      for (let round = 0; round < rounds; round++) {
        results.push(await run(load, WARM_SECONDS, seconds))
        limits.push(await runBare(WARM_SECONDS / 2, bareSeconds))
      }
      lastBare = limits.at(-1)
      const signatures = scenario.signature && (await opensslSignatures(scenario.signature, 1))
      return figuresOf(results, limits, signatures)
    },
    async warm(scenario, size, seconds) {
      await run(await scenario.load(world, size), 0, seconds)
    },
  }
  const owned = resources.move()
  return { ...session, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

function figuresOf(
  results: readonly LoadResult[],
  limits: readonly LoadResult[],
  signaturesPerSecond: number | undefined,
): Figures {
  const middle = (of: (result: LoadResult) => number) => median(results.map(of))
  const ofBare = (of: (result: LoadResult) => number) => ratioByTurns(results, limits, of, of)
  const perSecond = middle((result) => result.perSecond)
  const hasDatabase = results.every(({ cpuMicros }) => cpuMicros.length > 1)
  return {
    perSecond,
    p50Millis: middle(({ p50Millis }) => p50Millis),
    p99Millis: middle(({ p99Millis }) => p99Millis),
    cpuMicros: middle(({ cpuMicros }) => cpuMicros[0] ?? 0),
    ...(hasDatabase && { databaseCpuMicros: middle(({ cpuMicros }) => cpuMicros[1] ?? 0) }),
    ofBare: ofBare((result) => result.perSecond),
    cpuOfBare: ofBare(({ cpuMicros }) => cpuMicros[0] ?? 0),
    ...(signaturesPerSecond !== undefined && { ofOpenssl: perSecond / signaturesPerSecond }),
  }
}
