/** A modification of a domain; a later one of the same domain makes it worth nothing. */
interface Modification {
  readonly name: string
  readonly modified: number
}

/** So many modifications more than there are domains are kept before the old ones are cleared away. */
const SPARE = 1000

/**
 * Domains by the time of their last modification, so that what was modified since a moment is found without looking at the
 * others. Noting one takes constant time when it is the newest, as all are but those that a start reads.
 */
export class ModificationOrder {
  readonly #modifiedOf: (name: string) => number | undefined
  #all: Modification[] = []
  #isSorted = true
  #current = 0

  /** `modifiedOf` tells when a domain was modified (epoch milliseconds) as it is now; undefined when it is gone. */
  constructor(modifiedOf: (name: string) => number | undefined) {
    this.#modifiedOf = modifiedOf
  }

  /** Notes that a domain was modified; what is asked for next must find that it is so. */
  note(name: string, modified: number): void {
    const last = this.#all.at(-1)
    if (last?.name === name && last.modified === modified) return
    if (last && last.modified > modified) this.#isSorted = false
    this.#all.push({ name, modified })
    if (this.#all.length > 2 * this.#current + SPARE) this.#clear()
  }

  /** Names of the domains that were modified at that moment or later, oldest first, each once. */
  since(modified: number): string[] {
    this.#sort()
    const names = new Set<string>()
    for (let at = this.#placeOf(modified); at < this.#all.length; at++) {
      const each = this.#all[at] as Modification
      if (this.#isCurrent(each)) names.add(each.name)
    }
    return [...names]
  }

  #isCurrent({ name, modified }: Modification): boolean {
    return this.#modifiedOf(name) === modified
  }

  #clear(): void {
    this.#all = this.#all.filter((each) => this.#isCurrent(each))
    this.#current = this.#all.length
  }

  #sort(): void {
    if (this.#isSorted) return
    this.#all.sort((a, b) => a.modified - b.modified)
    this.#isSorted = true
  }

  /** Place of the first modification that is not earlier. */
  #placeOf(modified: number): number {
    let [low, high] = [0, this.#all.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#all[middle] as Modification).modified < modified) low = middle + 1
      else high = middle
    }
    return low
  }
}
