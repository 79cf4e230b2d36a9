import { Glob, isGlob } from './glob.ts'

/**
 * Patterns are compared up to this product of their lengths, which takes some milliseconds. Nobody writes longer ones by
 * hand, and whoever stores such a pattern must not decide how long those work who compare with it.
 */
const MAX_PRODUCT = 1_000_000
const isTooLong = (a: string, b: string): boolean => a.length * b.length > MAX_PRODUCT

/**
 * Whether every text that `inner` matches is matched by `outer`, too. True is always right; for patterns in which `*` and
 * `?` stand side by side, and for very long ones, it may be false where a longer look would find true. Letter case counts.
 * Takes time in proportion to the product of the lengths.
 */
export function covers(outer: string, inner: string): boolean {
  if (outer === inner) return true
  if (!isGlob(outer)) return false
  if (!isGlob(inner)) return new Glob(outer).matches(inner)
  if (isTooLong(outer, inner)) return false
  const [outers, inners] = [Array.from(outer), Array.from(inner)]
  // reached[i]: the first i characters of `outer` cover what of `inner` has been read.
  let reached = afterStars(outers, [true])
  for (const character of inners) {
    const next: boolean[] = []
    for (const [at, each] of outers.entries()) {
      if (!reached[at]) continue
      if (each === '*') next[at] = true
      else if (character !== '*' && (each === '?' || each === character)) next[at + 1] = true
    }
    reached = afterStars(outers, next)
  }
  return reached[outers.length] === true
}

/**
 * Whether some text is matched by both patterns. False is always right; of very long patterns it is not looked for, and the
 * answer is true. Letter case counts; time as of {@link covers}.
 */
export function overlaps(a: string, b: string): boolean {
  if (!isGlob(a)) return new Glob(b).matches(a)
  if (!isGlob(b)) return new Glob(a).matches(b)
  if (isTooLong(a, b)) return true
  const [as, bs] = [Array.from(a), Array.from(b)]
  // reached[j]: some text is matched by what of `a` has been read and by the first j characters of `b`.
  let reached = afterStars(bs, [true])
  for (const character of as) {
    const next: boolean[] = []
    for (let at = 0; at <= bs.length; at++) {
      if (!reached[at]) continue
      const each = bs[at]
      if (character === '*') {
        // Whatever follows, it can stand for.
        for (let to = at; to <= bs.length; to++) next[to] = true
        break
      }
      if (each === '*') next[at] = true
      else if (each !== undefined && (each === '?' || character === '?' || each === character)) next[at + 1] = true
    }
    reached = afterStars(bs, next)
  }
  return reached[bs.length] === true
}

/** A star may stand for nothing. */
function afterStars(pattern: readonly string[], reached: readonly (boolean | undefined)[]): readonly boolean[] {
  const all: boolean[] = []
  for (let at = 0; at <= pattern.length; at++) {
    all[at] = reached[at] === true || (at > 0 && all[at - 1] === true && pattern[at - 1] === '*')
  }
  return all
}
