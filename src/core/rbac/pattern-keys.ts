import { isGlob, literalPrefix } from './glob.ts'

/** More different lengths than this are not worth looking at one by one. */
const MAX_LENGTHS = 8
/** Of FNV-1a, whose low bits are as good as its high ones. */
const HASH_START = 0x811c9dc5
const HASH_FACTOR = 0x01000193
/** Hashes of whole patterns and of prefixes are told apart by their lowest bit. */
const WHOLE = 1
const PREFIX = 0

/**
 * Finds, among some dozens of patterns, those that may match a text: a number for each of them, compared with those of
 * the text and of its beginnings. One pass over the text and one over a row of numbers touch less memory than hash tables
 * do, which is what counts where each question is about another of many domains.
 */
export class PatternKeys {
  /** By position of the pattern: the hash of its literal part. */
  readonly #keys: readonly number[]
  /** Of the literal parts of globs, ascending. */
  readonly #lengths: readonly number[]

  /** Undefined when the globs begin in too many lengths. */
  static of(patterns: readonly string[]): PatternKeys | undefined {
    const lengths = new Set<number>()
    const keys = patterns.map((pattern) => {
      if (!isGlob(pattern)) return keyOf(hashOf(pattern, HASH_START, 0, pattern.length), WHOLE)
      const { length } = literalPrefix(pattern)
      lengths.add(length)
      return keyOf(hashOf(pattern, HASH_START, 0, length), PREFIX)
    })
    if (lengths.size > MAX_LENGTHS) return undefined
    return new PatternKeys(
      keys,
      [...lengths].sort((a, b) => a - b),
    )
  }

  private constructor(keys: readonly number[], lengths: readonly number[]) {
    this.#keys = keys
    this.#lengths = lengths
  }

  /** Positions of the patterns that may match, ascending. Few others are among them, and none that does match is missing. */
  candidates(text: string): readonly number[] {
    const wanted = this.#keysOf(text)
    const found: number[] = []
    const keys = this.#keys
    for (let position = 0; position < keys.length; position++) {
      const key = keys[position] as number
      for (let index = 0; index < wanted.length; index++) {
        if (wanted[index] !== key) continue
        found.push(position)
        break
      }
    }
    return found
  }

  #keysOf(text: string): readonly number[] {
    const keys: number[] = []
    let hash = HASH_START
    let at = 0
    for (const length of this.#lengths) {
      if (length > text.length) break
      hash = hashOf(text, hash, at, length)
      at = length
      keys.push(keyOf(hash, PREFIX))
    }
    keys.push(keyOf(hashOf(text, hash, at, text.length), WHOLE))
    return keys
  }
}

/** Goes on with a hash over UTF-16 code units. */
function hashOf(text: string, start: number, from: number, to: number): number {
  let hash = start
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ text.charCodeAt(at), HASH_FACTOR)
  return hash
}

/** In 31 bits, which the runtime keeps without an object of their own. */
const keyOf = (hash: number, kind: typeof WHOLE | typeof PREFIX): number => ((hash & 0x3fff_fffe) | kind) >>> 0
