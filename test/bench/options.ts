import type { StoreKind } from './bench-zms.ts'

/** How benchmarks are run. */
export interface BenchOptions {
  readonly stores: readonly StoreKind[]
  /** Counted time of a measurement. */
  readonly seconds: number
  /** How often what is compared is measured. */
  readonly rounds: number
}
