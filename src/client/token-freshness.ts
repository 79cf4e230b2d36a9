/** A token that is kept. */
export interface KeptToken<T> {
  readonly token: T
  /** When it was asked for, epoch milliseconds. */
  readonly askedAtMillis: number
  readonly expiresAtMillis: number
}

/** Bounds that a caller sets for the remaining life of a token. */
export interface LifeBounds {
  readonly minExpirySeconds?: number | undefined
  readonly maxExpirySeconds?: number | undefined
}

type Times = Pick<KeptToken<unknown>, 'askedAtMillis' | 'expiresAtMillis'>

/** Clocks of client and server may differ by so much. */
const MAX_EXPIRY_TOLERANCE_SECONDS = 300

const remainingSeconds = ({ expiresAtMillis }: Times, nowMillis: number): number => (expiresAtMillis - nowMillis) / 1000

/** A token that was asked for in the future: the clock was set back, and nobody knows how long the token is good. */
const isFromFuture = ({ askedAtMillis }: Times, nowMillis: number): boolean => nowMillis < askedAtMillis

/** Whether a token is still accepted by servers. */
export const isValid = (kept: Times, nowMillis: number): boolean => remainingSeconds(kept, nowMillis) > 0

/**
 * Whether a role token, or what is kept like one, is given out again: with bounds, while its remaining life is within
 * them; without, while at least `defaultMinSeconds` are left.
 */
export function isFreshWithin(kept: Times, bounds: LifeBounds, nowMillis: number, defaultMinSeconds: number): boolean {
  const { minExpirySeconds: min, maxExpirySeconds: max } = bounds
  const remaining = remainingSeconds(kept, nowMillis)
  if (remaining <= 0 || isFromFuture(kept, nowMillis)) return false
  if (max !== undefined && remaining > max + MAX_EXPIRY_TOLERANCE_SECONDS) return false
  return remaining >= (min ?? (max === undefined ? defaultMinSeconds : 0))
}

/**
 * Whether an access token or an id token is given out again: while a quarter of the life that was asked for is left; of
 * its real life when none was asked for.
 */
export function isFreshByQuarter(kept: Times, expirySeconds: number | undefined, nowMillis: number): boolean {
  const { askedAtMillis, expiresAtMillis } = kept
  const life = expirySeconds || (expiresAtMillis - askedAtMillis) / 1000
  const remaining = remainingSeconds(kept, nowMillis)
  return remaining > 0 && !isFromFuture(kept, nowMillis) && remaining >= life / 4
}
