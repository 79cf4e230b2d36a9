import type { StoreKind } from '../bench-zms.ts'
import { AXES, type Axis, type Size, sizeKey } from './sizes.ts'

/** What is measured, with the heading of its column; in the order of the columns. */
export const FIGURES = {
  perSecond: 'per second',
  p50Millis: 'p50 ms',
  p99Millis: 'p99 ms',
  cpuMicros: 'CPU µs',
  databaseCpuMicros: 'database CPU µs',
  ofBare: '÷ bare',
  cpuOfBare: 'CPU ÷ bare',
  ofOpenssl: '÷ OpenSSL',
  statements: 'SQL statements',
  seconds: 'seconds',
  cpuSeconds: 'CPU s',
  mebibytes: 'MiB',
} as const
export type FigureName = keyof typeof FIGURES
export type Figures = Readonly<Partial<Record<FigureName, number>>>

/** One thing at one size of the data, measured. */
export interface BenchRow {
  /** Name of the benchmark, and after a slash of a part of it. */
  readonly name: string
  /** Store of the data; none where there is no server, or its store makes no difference. */
  readonly store: StoreKind | 'none'
  /** Only along the axes that it may depend on. */
  readonly size: Partial<Size>
  readonly figures: Figures
}

/** How a cost differs between two sizes that are next to each other. */
export interface Growth {
  readonly name: string
  readonly store: BenchRow['store']
  readonly axis: Axis
  readonly from: number
  readonly to: number
  readonly factor: number
}

/** The same text for rows of different runs that measured the same. */
export const rowKey = ({ name, store, size }: BenchRow): string => `${name} ${store} ${sizeKey(size)}`

/**
 * What it takes, lower being better: CPU of server and database for one request in proportion to that of the bare server
 * beside it, where that was measured; else CPU time, memory or time. Undefined when there is no such figure.
 */
export function costOf(figures: Figures): number | undefined {
  const { cpuMicros, databaseCpuMicros = 0, cpuOfBare, cpuSeconds, mebibytes, seconds } = figures
  if (cpuMicros === undefined) return cpuSeconds ?? mebibytes ?? seconds
  const all = cpuMicros + databaseCpuMicros
  return cpuOfBare === undefined || cpuMicros === 0 ? all : cpuOfBare * (all / cpuMicros)
}

/** How the cost of each row differs from that of the next smaller size, other things being equal. */
export function growths(rows: readonly BenchRow[]): Growth[] {
  const found: Growth[] = []
  for (const axis of AXES) {
    const alike = Map.groupBy(
      rows.filter(({ size }) => size[axis] !== undefined),
      ({ name, store, size }) => `${name} ${store} ${sizeKey({ ...size, [axis]: 0 })}`,
    )
    for (const group of alike.values()) {
      const sorted = group.toSorted((a, b) => (a.size[axis] ?? 0) - (b.size[axis] ?? 0))
      for (const [index, row] of sorted.entries()) {
        const smaller = sorted[index - 1]
        const [cost, less] = [costOf(row.figures), smaller && costOf(smaller.figures)]
        if (smaller === undefined || cost === undefined || less === undefined || less === 0) continue
        const { name, store } = row
        const [from = 0, to = 0] = [smaller.size[axis], row.size[axis]]
        found.push({ name, store, axis, from, to, factor: cost / less })
      }
    }
  }
  return found
}
