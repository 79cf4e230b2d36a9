/** When a clock elsewhere was asked, in milliseconds of the one here. */
export interface ClockQuestion {
  readonly sent: number
  readonly answered: number
  /** How much time the other clock may have shown the same. */
  readonly stepMillis: number
}

/**
 * By how many milliseconds a clock elsewhere is ahead of the one here at least, less than 0 when it is behind: it was read at
 * some time between question and answer. Undefined when it told no time.
 */
export function clockDifference(told: number, { sent, answered, stepMillis }: ClockQuestion): number | undefined {
  if (Number.isNaN(told)) return undefined
  if (told + stepMillis < sent) return told + stepMillis - sent
  return told > answered ? told - answered : 0
}
