import { STORE_TITLES, type StoreKind } from '../bench-zms.ts'
import { type LoadTool, openLoadTool } from '../load-tool.ts'
import { residentMebibytes } from '../process-memory.ts'
import { median } from '../statistics.ts'
import type { BenchRow } from './row.ts'
import type { Scenario } from './scenario.ts'
import { type Effort, openSession, prepareSuite } from './session.ts'
import { type Axis, baseSize, type Size, type SizeLists, sizeKey, walk } from './sizes.ts'
import { ZMS_SCENARIOS } from './zms-scenarios.ts'
import { zpeDecision } from './zpe-decision.ts'
import { domainChange } from './zts-change.ts'
import { domainLoad } from './zts-load.ts'
import { ZTS_SCENARIOS } from './zts-scenarios.ts'

/** How the suite is run. */
export interface SuiteOptions extends Effort {
  readonly stores: readonly StoreKind[]
  readonly sizes: SizeLists
}

/** A benchmark without servers: what it gives may depend on some axes. */
interface LocalBench {
  readonly name: string
  readonly axes: readonly Axis[]
  measure(size: Size, effort: Effort): Promise<BenchRow['figures']>
}

const LOCAL_BENCHES: readonly LocalBench[] = [domainLoad, ...domainChange, zpeDecision]

const COLD_START = 'cold-start'
const MEMORY = 'memory'

/** Names of the benchmarks, in the order of their rows. */
export const SUITE_NAMES = [
  'access-check',
  'role-token',
  'access-token',
  'instance-register',
  'instance-refresh',
  'role-certificate',
  'role-write',
  'membership-write',
  'domain-read',
  'domain-sync',
  'zts-load',
  'zts-change',
  'zpe-decision',
  COLD_START,
  MEMORY,
] as const
export type SuiteName = (typeof SUITE_NAMES)[number]

/** The benchmark that a row belongs to. */
const benchOf = (name: string): string => name.split('/', 1)[0] ?? name

const SERVERS = ['zms', 'zts'] as const

/**
 * Measures benchmarks at all sizes that they may depend on, each beside its limit, and tells of every row as it is done.
 * Servers are started once for each store and number of domains, ZMS alone and then both.
 */
export async function runSuite(
  names: readonly SuiteName[],
  options: SuiteOptions,
  tell: (row: BenchRow) => void,
): Promise<BenchRow[]> {
  const rows: BenchRow[] = []
  const add = (row: BenchRow) => {
    rows.push(row)
    tell(row)
  }
  const isWanted = ({ name }: { name: string }) => (names as readonly string[]).includes(benchOf(name))
  const scenarios = [...ZMS_SCENARIOS, ...ZTS_SCENARIOS].filter(isWanted)
  const ofServers = names.some((name) => name === COLD_START || name === MEMORY)
  if (scenarios.length > 0 || ofServers) {
    const tool = await openLoadTool()
    for (const [index, store] of options.stores.entries()) {
      const wanted = scenarios.filter(({ stores }) => stores === 'each' || index === 0)
      await measureStore({ names, scenarios: wanted, store, tool, options, add })
    }
  }
  for (const bench of LOCAL_BENCHES.filter(isWanted)) {
    for (const size of walk(options.sizes, bench.axes)) {
      const figures = await bench.measure(size, options)
      add({ name: bench.name, store: 'none', size: along(size, bench.axes), figures })
    }
  }
  const place = ({ name }: BenchRow) => (SUITE_NAMES as readonly string[]).indexOf(benchOf(name))
  return rows.toSorted((a, b) => place(a) - place(b))
}

interface StoreMeasurement {
  readonly names: readonly SuiteName[]
  readonly scenarios: readonly Scenario[]
  readonly store: StoreKind
  readonly tool: LoadTool
  readonly options: SuiteOptions
  readonly add: (row: BenchRow) => void
}

async function measureStore({ names, scenarios, store, tool, options, add }: StoreMeasurement): Promise<void> {
  const { sizes } = options
  const base = baseSize(sizes)
  const servers = SERVERS.filter(
    (server) =>
      scenarios.some((scenario) => scenario.server === server) || names.includes(MEMORY) || names.includes(COLD_START),
  )
  for (const domains of sizes.domains) {
    // The other axes are walked at the base.
    const points = scenarios.flatMap((scenario) =>
      walk(sizes, scenario.axes)
        .filter((size) => size.domains === domains)
        .map((size) => ({ scenario, size })),
    )
    const atBase = { ...base, domains }
    const sized = [
      ...new Map([atBase, ...points.map(({ size }) => size)].map((size) => [sizeKey(size), size])).values(),
    ]
    console.error(`${STORE_TITLES[store]}: making ${domains.toLocaleString('en')} domains`)
    await using zms = await prepareSuite(store, domains, sized, servers.includes('zts'))
    for (const server of servers) {
      await using session = await openSession(zms, server, tool)
      if (names.includes(MEMORY)) {
        add({
          name: `${MEMORY}/${server}-started`,
          store,
          size: { domains },
          figures: { mebibytes: await residentMebibytes(session.pid) },
        })
      }
      for (const { scenario, size } of points.filter((each) => each.scenario.server === server)) {
        const figures = await session.measure(scenario, size, options)
        add({ name: scenario.name, store, size: along(size, scenario.axes), figures })
      }
      if (names.includes(MEMORY)) {
        const [busiest] = server === 'zms' ? ZMS_SCENARIOS : ZTS_SCENARIOS
        if (busiest) await session.warm(busiest, atBase, options.seconds)
        add({
          name: `${MEMORY}/${server}-loaded`,
          store,
          size: { domains },
          figures: { mebibytes: await residentMebibytes(session.pid) },
        })
      }
    }
    if (!names.includes(COLD_START)) continue
    for (const server of servers) {
      const seconds: number[] = []
      for (let round = 0; round < options.rounds; round++) {
        await using started = await zms.start({}, server === 'zms' ? 'zms' : 'all')
        seconds.push(started.summary.readyMillis / 1000)
      }
      const name = `${COLD_START}/${server === 'zms' ? 'zms' : 'both'}`
      add({ name, store, size: { domains }, figures: { seconds: median(seconds) } })
    }
  }
}

const along = (size: Size, axes: readonly Axis[]): Partial<Size> =>
  Object.fromEntries(axes.map((axis) => [axis, size[axis]]))
