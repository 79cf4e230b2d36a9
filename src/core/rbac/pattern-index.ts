import { isGlob, literalPrefix } from './glob.ts'

interface PrefixNode<S> {
  /** Text between the parent's position and this one; not empty except at the root. */
  label: string
  slot: S | undefined
  /** By the first UTF-16 code unit of their labels. */
  children: Map<number, PrefixNode<S>> | undefined
}

/**
 * Finds, among many patterns, those that may match a text: literal ones by a hash lookup, globs by their literal prefix
 * in a radix tree, so that the cost grows with the candidates and the length of the text, not with the number of
 * patterns. Each literal and each prefix has one slot, made by the caller's function, in which the caller keeps what
 * belongs to it; globs that begin with a wildcard share the slot of the empty prefix.
 */
export class PatternIndex<S> {
  readonly #newSlot: () => S
  readonly #literals = new Map<string, S>()
  readonly #root: PrefixNode<S> = { label: '', slot: undefined, children: undefined }

  constructor(newSlot: () => S) {
    this.#newSlot = newSlot
  }

  /** The slot where a pattern belongs, made when it is missing. */
  slotFor(pattern: string): S {
    if (isGlob(pattern)) {
      const node = this.#nodeFor(literalPrefix(pattern))
      return (node.slot ??= this.#newSlot())
    }
    let slot = this.#literals.get(pattern)
    if (slot === undefined) this.#literals.set(pattern, (slot = this.#newSlot()))
    return slot
  }

  /** The slot of the literal equal to the text, if any. */
  literal(text: string): S | undefined {
    return this.#literals.get(text)
  }

  /** Calls visit with the slot of every prefix of the text, shortest first. */
  forEachPrefix(text: string, visit: (slot: S) => void): void {
    let node = this.#root
    let at = 0
    for (;;) {
      if (node.slot !== undefined) visit(node.slot)
      const next = node.children?.get(text.charCodeAt(at))
      if (next === undefined || !text.startsWith(next.label, at)) return
      at += next.label.length
      node = next
    }
  }

  #nodeFor(prefix: string): PrefixNode<S> {
    let node = this.#root
    let at = 0
    while (at < prefix.length) {
      const children: Map<number, PrefixNode<S>> = (node.children ??= new Map())
      const first = prefix.charCodeAt(at)
      const next = children.get(first)
      if (next === undefined) {
        const leaf = { label: prefix.slice(at), slot: undefined, children: undefined }
        children.set(first, leaf)
        return leaf
      }
      const common = commonLength(next.label, prefix, at)
      if (common < next.label.length) {
        const upper = { label: next.label.slice(0, common), slot: undefined, children: new Map() }
        next.label = next.label.slice(common)
        upper.children.set(next.label.charCodeAt(0), next)
        children.set(first, upper)
        node = upper
      } else {
        node = next
      }
      at += common
    }
    return node
  }
}

function commonLength(label: string, text: string, at: number): number {
  let length = 0
  while (length < label.length && label.charCodeAt(length) === text.charCodeAt(at + length)) length++
  return length
}
