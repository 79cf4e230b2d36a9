import { certificateFiles } from './certificate-files.ts'
import { clock } from './clock.ts'
import { connections } from './connections.ts'
import { database } from './database.ts'
import { disk } from './disk.ts'
import { diskOfCopies } from './disk-copies.ts'
import { diskErrors } from './disk-errors.ts'
import type { Fault } from './fault.ts'
import { gracefulStop } from './graceful-stop.ts'
import { killed } from './killed.ts'
import { monitoring } from './monitoring.ts'
import { overload } from './overload.ts'
import { rateLimits } from './rate-limits.ts'
import { vanished } from './vanished.ts'

/** All faults, in the order in which they are tried. */
export const FAULTS: readonly Fault[] = [
  gracefulStop,
  killed,
  disk,
  diskErrors,
  diskOfCopies,
  database,
  clock,
  connections,
  vanished,
  certificateFiles,
  overload,
  rateLimits,
  monitoring,
]
