import type { LoadResult } from './load-tool.ts'
import { median } from './statistics.ts'

/** Middle values of rounds: rate, latencies, and CPU of the server and of its database. */
export function figures(rounds: readonly LoadResult[]): (string | number)[] {
  const middle = (of: (result: LoadResult) => number) => median(rounds.map(of))
  return [
    middle(({ perSecond }) => perSecond),
    middle(({ p50Millis }) => p50Millis),
    middle(({ p99Millis }) => p99Millis),
    middle(({ cpuMicros }) => cpuMicros[0] ?? 0),
    rounds.every(({ cpuMicros }) => cpuMicros.length > 1) ? middle(({ cpuMicros }) => cpuMicros[1] ?? 0) : '-',
  ]
}
