/** The middle value; of an even number, the mean of the two in the middle. Throws RangeError when there are none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]]
  if (low === undefined || high === undefined) throw new RangeError('no values')
  return (low + high) / 2
}

/** The value at a part (0 to 1) of an ascending list; 0 when it is empty. */
export function percentile(ascending: readonly number[], part: number): number {
  return ascending[Math.floor(part * (ascending.length - 1))] ?? 0
}

/** Mean of the values of the rounds before and after a round of what is compared with them. */
export function neighbours<R>(rounds: readonly R[], round: number, of: (result: R) => number): number {
  return median([rounds[round], rounds[round + 1]].map((result) => (result === undefined ? Number.NaN : of(result))))
}

/**
 * What one thing is in proportion to another, each measured several times, by turns: the limits are one more, the first
 * before and the last after all else. Each round is compared with the mean of its neighbours, so that a machine that gets
 * slower or faster meanwhile tips no balance; of these ratios the middle one.
 */
export function ratioByTurns<R, L>(
  rounds: readonly R[],
  limits: readonly L[],
  of: (result: R) => number,
  ofLimit: (limit: L) => number,
): number {
  return median(rounds.map((result, round) => of(result) / neighbours(limits, round, ofLimit)))
}

/** The middle of the ratios of values that were measured one after the other, round by round. */
export function pairedRatio(values: readonly number[], others: readonly number[]): number {
  if (values.length !== others.length) throw new RangeError('both need a value for each round')
  return median(values.map((value, round) => value / (others[round] ?? Number.NaN)))
}
