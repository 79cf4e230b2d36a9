import { median } from '../statistics.ts'
import { EXACT_RULES, measureRate, openWorld } from '../zpe.ts'
import type { Figures } from './row.ts'
import type { Effort } from './session.ts'
import type { Size } from './sizes.ts'

/** Decisions of the policy engine beside an application, with a token that is known, one per assertion in turn. */
export const zpeDecision = {
  name: 'zpe-decision',
  axes: ['assertions'] as const,
  async measure({ assertions }: Size, { seconds, rounds }: Effort): Promise<Figures> {
    await using world = await openWorld(EXACT_RULES, assertions)
    const millis = seconds * 500
    const rates = Array.from({ length: rounds }, () => measureRate(world.ask, assertions, millis).perCpuSecond)
    const perSecond = median(rates)
    return { perSecond, cpuMicros: 1_000_000 / perSecond }
  },
}
