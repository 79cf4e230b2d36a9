import { isGlob, literalPrefix } from './glob.ts'
import { PrefixTree } from './prefix-tree.ts'

const NONE: readonly never[] = Object.freeze([])
/** Up to so many different lengths, prefixes are looked up length by length; a tree takes more of them, and more memory. */
const MAX_LENGTHS = 8

/**
 * Finds, among many patterns, those that may match a text: literal ones by a hash lookup, globs by their literal prefix,
 * so that the cost grows with the candidates and the length of the text, not with the number of patterns. Each literal
 * and each prefix has one slot for what the caller keeps there; globs that begin with a wildcard share that of the empty
 * prefix.
 */
export class PatternIndex<S> {
  #literals: Map<string, S> | undefined
  #prefixes: Map<string, S> | undefined
  /** Of the prefixes, ascending. */
  #lengths: readonly number[] = NONE
  /** Takes the place of the lengths when they are too many. */
  #tree: PrefixTree<S> | undefined

  /** The slot where a pattern belongs. */
  get(pattern: string): S | undefined {
    return isGlob(pattern) ? this.#prefixes?.get(literalPrefix(pattern)) : this.#literals?.get(pattern)
  }

  set(pattern: string, slot: S): void {
    if (isGlob(pattern)) this.#setPrefix(literalPrefix(pattern), slot)
    else (this.#literals ??= new Map()).set(pattern, slot)
  }

  /** The slots where patterns that match the text may be. */
  find(text: string): readonly S[] {
    const literal = this.literal(text)
    if (this.#prefixes === undefined) return literal === undefined ? NONE : [literal]
    const found = literal === undefined ? [] : [literal]
    this.#collect(this.#prefixes, text, found)
    return found
  }

  /** The slot of the text itself, as a pattern without wildcards. */
  literal(text: string): S | undefined {
    return this.#literals?.get(text)
  }

  /** The slots of globs that may match the text. */
  globs(text: string): readonly S[] {
    if (this.#prefixes === undefined) return NONE
    const found: S[] = []
    this.#collect(this.#prefixes, text, found)
    return found
  }

  #collect(prefixes: ReadonlyMap<string, S>, text: string, found: S[]): void {
    if (this.#tree) this.#tree.collect(text, found)
    else this.#collectByLength(prefixes, text, found)
  }

  #collectByLength(prefixes: ReadonlyMap<string, S>, text: string, found: S[]): void {
    for (const length of this.#lengths) {
      if (length > text.length) return
      const slot = prefixes.get(text.slice(0, length))
      if (slot !== undefined) found.push(slot)
    }
  }

  #setPrefix(prefix: string, slot: S): void {
    const prefixes = (this.#prefixes ??= new Map())
    prefixes.set(prefix, slot)
    if (this.#tree) this.#tree.set(prefix, slot)
    else if (!this.#lengths.includes(prefix.length)) {
      this.#lengths = this.#lengths.concat(prefix.length).sort((a, b) => a - b)
      if (this.#lengths.length > MAX_LENGTHS) this.#tree = treeOf(prefixes)
    }
  }
}

function treeOf<S>(prefixes: ReadonlyMap<string, S>): PrefixTree<S> {
  const tree = new PrefixTree<S>()
  for (const [prefix, slot] of prefixes) tree.set(prefix, slot)
  return tree
}
