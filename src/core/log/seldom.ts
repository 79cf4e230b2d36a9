const INTERVAL_MILLIS = 60_000

/** Passes the first of many reports on, and then one a minute at most: what goes wrong with every request must not fill the log. */
export function seldom<Arguments extends readonly unknown[]>(
  report: (...args: Arguments) => void,
): (...args: Arguments) => void {
  let nextMillis = Number.NEGATIVE_INFINITY
  return (...args) => {
    const now = performance.now()
    if (now < nextMillis) return
    nextMillis = now + INTERVAL_MILLIS
    report(...args)
  }
}
