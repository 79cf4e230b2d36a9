interface PrefixNode<S> {
  /** Text between the parent's position and this one; not empty except at the root. */
  label: string
  slot: S | undefined
  /** By the first UTF-16 code unit of their labels. */
  children: Map<number, PrefixNode<S>> | undefined
}

/** What belongs to prefixes, found for a text in time that grows with its length only: a radix tree. */
export class PrefixTree<S> {
  readonly #root: PrefixNode<S> = { label: '', slot: undefined, children: undefined }

  set(prefix: string, slot: S): void {
    this.#nodeFor(prefix).slot = slot
  }

  /** Adds the slots of all prefixes of the text, shortest first. */
  collect(text: string, found: S[]): void {
    let node = this.#root
    let at = 0
    for (;;) {
      if (node.slot !== undefined) found.push(node.slot)
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
