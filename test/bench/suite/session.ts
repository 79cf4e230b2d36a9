import { recordDatabase, recordSettings } from '../../support/record-settings.ts'
import { startBareServer } from '../bare-server.ts'
import { type BenchZms, prepareZms, type StoreKind } from '../bench-zms.ts'
import { replaceAuthority, waitForInstanceDomain } from '../instance-load.ts'
import type { Load, LoadResult, LoadTool } from '../load-tool.ts'
import { median, ratioByTurns } from '../statistics.ts'
import { measuredOpensslLimit, type OpensslLimit } from './openssl-limit.ts'
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
/** Where requests are counted: before each run, so that its connections are made. */
const SETTLING_REQUESTS = CONNECTIONS
/** Of the bare server so many at least, that its CPU is more than the clock of the system leaves out. */
const BARE_REQUESTS = 1000
/** When they are not answered by then, something is wrong. */
const MAX_SECONDS = 60
/** Numbers of a run begin here, times its own: what is written is new. */
const RUN_STEP = 10_000_000
/** New members fit in. */
const SETTINGS = { 'athenz.zms.quota_role_member': '100000000', 'athenz.zms.quota_role': '100000' }

/** How long and how often is measured. */
export interface Effort {
  readonly seconds: number
  readonly rounds: number
  /** Requests of a run, in place of time: to see quickly that everything works. */
  readonly requests?: number
  /** Tells what OpenSSL does; `openssl speed` is asked unless given. */
  readonly openssl?: OpensslLimit
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
  /** Sends the requests of a scenario; the bare server gets its own, and OpenSSL has its turn, before and after each round. */
  measure(scenario: Scenario, size: Size, effort: Effort): Promise<Figures>
  /** Sends them without measuring anything. */
  warm(scenario: Scenario, size: Size, effort: Effort): Promise<void>
}

/** What a round is compared with. */
interface Limit {
  readonly bare: LoadResult
  /** Per second; absent where nothing of OpenSSL is needed. */
  readonly openssl: number | undefined
}

type RunLength = Pick<Load, 'warmSeconds' | 'warmRequests' | 'seconds' | 'requests'>

/** How long runs are. */
interface RunLengths {
  /** Before the first round. */
  readonly first: RunLength
  readonly round: RunLength
  readonly firstBare: RunLength
  readonly bare: RunLength
  /** One that nothing is measured of. */
  readonly idle: RunLength
}

function lengthsOf({ seconds, requests }: Effort): RunLengths {
  if (requests !== undefined) {
    const first = { warmSeconds: 0, seconds: MAX_SECONDS, requests }
    const round = { ...first, warmRequests: SETTLING_REQUESTS }
    const bare = { ...round, requests: Math.max(requests, BARE_REQUESTS) }
    return { first, round, firstBare: bare, bare, idle: first }
  }
  const bareSeconds = seconds * BARE_PART
  return {
    first: { warmSeconds: 0, seconds: FIRST_SECONDS, requests: FIRST_REQUESTS },
    round: { warmSeconds: WARM_SECONDS, seconds },
    firstBare: { warmSeconds: FIRST_SECONDS, seconds: bareSeconds },
    bare: { warmSeconds: WARM_SECONDS / 2, seconds: bareSeconds },
    idle: { warmSeconds: 0, seconds },
  }
}

/** Everything is asked for at least once: what a server that has run for a while has in memory is there then. */
function onceEach(first: RunLength, { urls }: ScenarioLoad): RunLength {
  if (first.requests === undefined || urls.length <= first.requests) return first
  return { ...first, requests: urls.length, seconds: MAX_SECONDS }
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

  const runBare = (length: RunLength) =>
    tool.run({ ...common, urls: [bare.url], pids: [bare.pid], expected: [200], ...length })
  let runs = 0
  const run = (load: ScenarioLoad, length: RunLength) =>
    tool.run({ ...common, ...load, first: ++runs * RUN_STEP, pids, ...length })
  /** What the last scenario ended with is what the next one begins with. */
  let last: { readonly limit: Limit; readonly cryptography: Scenario['cryptography'] } | undefined

  const session: Omit<Session, keyof AsyncDisposable> = {
    world,
    pid,
    async measure(scenario, size, effort) {
      const { cryptography } = scenario
      const { openssl = measuredOpensslLimit() } = effort
      const runOpenssl = async () => cryptography && openssl(cryptography)
      const lengths = lengthsOf(effort)
      const load = await scenario.load(world, size, effort.requests)
      await run(load, onceEach(lengths.first, load))
      const known = last?.cryptography === cryptography ? last?.limit.openssl : undefined
      let limit: Limit = {
        bare: last?.limit.bare ?? (await runBare(lengths.firstBare)),
        openssl: known ?? (await runOpenssl()),
      }
      const limits = [limit]
      const results: LoadResult[] = []
      for (let round = 0; round < effort.rounds; round++) {
        results.push(await run(load, lengths.round))
        limit = { bare: await runBare(lengths.bare), openssl: await runOpenssl() }
        limits.push(limit)
      }
      last = { limit, cryptography }
      return figuresOf(results, limits)
    },
    async warm(scenario, size, effort) {
      await run(await scenario.load(world, size, effort.requests), lengthsOf(effort).idle)
    },
  }
  const owned = resources.move()
  return { ...session, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

function figuresOf(results: readonly LoadResult[], limits: readonly Limit[]): Figures {
  const middle = (of: (result: LoadResult) => number) => median(results.map(of))
  const rate = ({ perSecond }: LoadResult) => perSecond
  const cpu = ({ cpuMicros }: LoadResult) => cpuMicros[0] ?? 0
  const ofBare = (of: (result: LoadResult) => number) => ratioByTurns(results, limits, of, ({ bare }) => of(bare))
  const hasDatabase = results.every(({ cpuMicros }) => cpuMicros.length > 1)
  const hasOpenssl = limits.every(({ openssl }) => openssl !== undefined)
  return {
    perSecond: middle(rate),
    p50Millis: middle(({ p50Millis }) => p50Millis),
    p99Millis: middle(({ p99Millis }) => p99Millis),
    cpuMicros: middle(cpu),
    ...(hasDatabase && { databaseCpuMicros: middle(({ cpuMicros }) => cpuMicros[1] ?? 0) }),
    ofBare: ofBare(rate),
    cpuOfBare: ofBare(cpu),
    ...(hasOpenssl && { ofOpenssl: ratioByTurns(results, limits, rate, ({ openssl }) => openssl ?? Number.NaN) }),
  }
}
