import type { StoreKind } from '../bench-zms.ts'
import { openLoadTool } from '../load-tool.ts'
import type { BenchRow } from './row.ts'
import { COLD_START, MEMORY, ServerBenches } from './server-benches.ts'
import type { Effort } from './session.ts'
import { type Axis, along, type Size, type SizeLists, walk } from './sizes.ts'
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

/** A benchmark without servers. */
interface LocalBench {
  readonly name: string
  /** What the cost may depend on. */
  readonly axes: readonly Axis[]
  measure(size: Size, effort: Effort): Promise<BenchRow['figures']>
}

const LOCAL_BENCHES: readonly LocalBench[] = [domainLoad, ...domainChange, zpeDecision]

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

/**
 * Measures benchmarks at all sizes that they may depend on, each beside its limit, and tells of every row as it is done.
 * Gives the rows in the order of {@link SUITE_NAMES}.
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
  const isWanted = ({ name }: { readonly name: string }) => (names as readonly string[]).includes(benchOf(name))
  const scenarios = [...ZMS_SCENARIOS, ...ZTS_SCENARIOS].filter(isWanted)
  const extras = { measuresMemory: names.includes(MEMORY), measuresStarts: names.includes(COLD_START) }
  if (scenarios.length > 0 || extras.measuresMemory || extras.measuresStarts) {
    const tool = await openLoadTool()
    for (const [index, store] of options.stores.entries()) {
      const ofStore = scenarios.filter(({ stores }) => stores === 'each' || index === 0)
      const benches = new ServerBenches({ store, scenarios: ofStore, ...extras, ...options, tool, add })
      for (const domains of options.sizes.domains) await benches.measure(domains)
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

/** The benchmark that a row belongs to. */
const benchOf = (name: string): string => name.split('/', 1)[0] ?? name
