import { type BenchZms, STORE_TITLES, type StoreKind } from '../bench-zms.ts'
import type { LoadTool } from '../load-tool.ts'
import { residentMebibytes } from '../process-memory.ts'
import { median } from '../statistics.ts'
import type { BenchRow } from './row.ts'
import type { Scenario } from './scenario.ts'
import { type Effort, openSession, prepareSuite, type Session } from './session.ts'
import { along, baseSize, type Size, type SizeLists, sizeKey, walk } from './sizes.ts'
import { ZMS_SCENARIOS } from './zms-scenarios.ts'
import { ZTS_SCENARIOS } from './zts-scenarios.ts'

export const COLD_START = 'cold-start'
export const MEMORY = 'memory'

const SERVERS = ['zms', 'zts'] as const
type Server = (typeof SERVERS)[number]

/** What is measured of servers on one store. */
export interface ServerBenchesOptions extends Effort {
  readonly store: StoreKind
  readonly sizes: SizeLists
  readonly scenarios: readonly Scenario[]
  readonly measuresMemory: boolean
  readonly measuresStarts: boolean
  readonly tool: LoadTool
  /** Takes a row that was measured. */
  readonly add: (row: BenchRow) => void
}

/** A scenario at one size. */
interface Point {
  readonly scenario: Scenario
  readonly size: Size
}

/** Benchmarks of ZMS, and of ZTS beside it, on one store. */
export class ServerBenches {
  readonly #options: ServerBenchesOptions

  constructor(options: ServerBenchesOptions) {
    this.#options = options
  }

  /** Makes data with so many domains, starts ZMS alone and then both, and measures what there is to measure at that size. */
  async measure(domains: number): Promise<void> {
    const { store, sizes, scenarios, measuresMemory, measuresStarts } = this.#options
    const base: Size = { ...baseSize(sizes), domains }
    // The other axes are walked at the base.
    const points = scenarios.flatMap((scenario) =>
      walk(sizes, scenario.axes)
        .filter((size) => size.domains === domains)
        .map((size): Point => ({ scenario, size })),
    )
    const servers = SERVERS.filter(
      (server) => measuresMemory || measuresStarts || points.some(({ scenario }) => scenario.server === server),
    )
    if (servers.length === 0) return
    const sized = new Map([base, ...points.map(({ size }) => size)].map((size) => [sizeKey(size), size]))
    console.error(`${STORE_TITLES[store]}: making ${domains.toLocaleString('en')} domains`)
    await using zms = await prepareSuite(store, domains, [...sized.values()], servers.includes('zts'))
    for (const server of servers) {
      await using session = await openSession(zms, server, this.#options.tool)
      await this.#measureSession(
        session,
        server,
        points.filter(({ scenario }) => scenario.server === server),
        base,
      )
    }
    if (!measuresStarts) return
    for (const server of servers) await this.#measureStarts(zms, server, domains)
  }

  async #measureSession(session: Session, server: Server, points: readonly Point[], base: Size): Promise<void> {
    const { store, measuresMemory, add } = this.#options
    const noteMemory = async (when: 'started' | 'loaded') => {
      const mebibytes = await residentMebibytes(session.pid)
      add({ name: `${MEMORY}/${server}-${when}`, store, size: { domains: base.domains }, figures: { mebibytes } })
    }
    if (measuresMemory) await noteMemory('started')
    for (const { scenario, size } of points) {
      const figures = await session.measure(scenario, size, this.#options)
      add({ name: scenario.name, store, size: along(size, scenario.axes), figures })
    }
    if (!measuresMemory) return
    const [busiest] = server === 'zms' ? ZMS_SCENARIOS : ZTS_SCENARIOS
    if (busiest) await session.warm(busiest, base, this.#options)
    await noteMemory('loaded')
  }

  async #measureStarts(zms: BenchZms, server: Server, domains: number): Promise<void> {
    const { store, rounds, add } = this.#options
    const seconds: number[] = []
    for (let round = 0; round < rounds; round++) {
      await using started = await zms.start({}, server === 'zms' ? 'zms' : 'all')
      seconds.push(started.summary.readyMillis / 1000)
    }
    const name = `${COLD_START}/${server === 'zms' ? 'zms' : 'both'}`
    add({ name, store, size: { domains }, figures: { seconds: median(seconds) } })
  }
}
