import type { Fault } from './fault.ts'
import { gracefulStop } from './graceful-stop.ts'

/** All faults, in the order in which they are tried. */
export const FAULTS: readonly Fault[] = [gracefulStop]
