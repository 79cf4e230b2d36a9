/** From when to when something is good, in epoch milliseconds. */
export interface Validity {
  readonly fromMillis: number
  readonly untilMillis: number
}

/** Certificates and tokens are renewed after this part of their life, so that two thirds are left for trouble. */
const RENEWAL_PART = 1 / 3
/** So much earlier at most, by chance: what was started together shall not come together. */
const RENEWAL_SPREAD = 0.1
const FIRST_PAUSE_MILLIS = 60_000
const LONGEST_PAUSE_MILLIS = 3_600_000

/**
 * Whether something is to be renewed; what is not there always is. `chance` is from 0 to below 1 and the same for all
 * questions. Only the clock of the wall is asked, so that a machine that slept, or whose clock was set, is judged by
 * what the time is now.
 */
export function isDue(validity: Validity | undefined, nowMillis: number, chance: number): boolean {
  if (validity === undefined) return true
  const { fromMillis, untilMillis } = validity
  const part = RENEWAL_PART * (1 - RENEWAL_SPREAD * chance)
  return nowMillis >= fromMillis + (untilMillis - fromMillis) * part
}

/** Failures in a row, and when the last one was. */
export interface Failures {
  readonly count: number
  readonly lastMillis: number
  /** From 0 to below 1. */
  readonly chance: number
}

/**
 * Whether to try again after failures: after a minute, then after twice the time, up to an hour, always by chance up to half
 * of it earlier; but at least three times in what is left of the life.
 */
export function mayTryAgain(
  failures: Failures | undefined,
  validity: Validity | undefined,
  nowMillis: number,
): boolean {
  if (failures === undefined) return true
  const { count, lastMillis, chance } = failures
  const grown = Math.min(FIRST_PAUSE_MILLIS * 2 ** (count - 1), LONGEST_PAUSE_MILLIS)
  const left = validity === undefined ? 0 : validity.untilMillis - nowMillis
  const pause = Math.min(grown, left > 0 ? Math.max(left / 3, FIRST_PAUSE_MILLIS) : LONGEST_PAUSE_MILLIS)
  const since = nowMillis - lastMillis
  // A clock that was set back must not make the agent wait until it has caught up.
  return since < 0 || since >= pause * (1 - chance / 2)
}
