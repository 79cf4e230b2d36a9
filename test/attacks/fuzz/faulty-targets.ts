import { ServiceError } from '#core/error/service-error.ts'
import type { FuzzTarget } from './fuzz-target.ts'

const SEED = Buffer.from('a good input with some length, so that changes have room')

const target = (name: string, read: FuzzTarget['read']): FuzzTarget => ({
  name,
  seeds: [SEED],
  words: ['!'],
  isRefusal: (error) => error instanceof ServiceError,
  read,
})

const spin = (millis: number): void => {
  const before = process.threadCpuUsage()
  while (process.threadCpuUsage(before).user < millis * 1000);
}

/** Targets with the faults that fuzzing is to find, and one without. */
export const FUZZ_TARGETS: readonly FuzzTarget[] = [
  target('faultless', () => {
    throw new ServiceError('bad-request', 'refused')
  }),
  target('crashing', (input) => {
    if (input.includes('!!')) throw new TypeError('undefined is not a function')
  }),
  target('rejecting', async (input) => {
    if (input.includes(0xff)) throw new RangeError('out of range')
  }),
  target('slow', (input) => {
    if (input.includes('!!')) spin(60)
  }),
  target('lost', (input) => {
    if (input.includes('!!')) spin(Number.POSITIVE_INFINITY)
  }),
]
