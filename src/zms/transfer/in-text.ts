/** Keys in one list: as many as a statement may well have. */
const LONGEST_LIST = 1000

/** Keys of rows as texts for `IN (…)`. */
export function* inText(ids: readonly number[]): Generator<string> {
  for (let at = 0; at < ids.length; at += LONGEST_LIST) {
    const list = ids.slice(at, at + LONGEST_LIST)
    if (!list.every(Number.isSafeInteger)) throw new TypeError('keys are whole numbers')
    yield list.join(', ')
  }
}
