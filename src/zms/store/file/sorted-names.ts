/** Distinct names in ascending order of their UTF-16 code units; finding a place takes logarithmic time. */
export class SortedNames {
  readonly #names: string[] = []

  get size(): number {
    return this.#names.length
  }

  add(name: string): void {
    const at = this.indexOf(name)
    if (this.#names[at] !== name) this.#names.splice(at, 0, name)
  }

  delete(name: string): void {
    const at = this.indexOf(name)
    if (this.#names[at] === name) this.#names.splice(at, 1)
  }

  /** Place of the first name that is not less than `name`. */
  indexOf(name: string): number {
    let [low, high] = [0, this.#names.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#names[middle] as string) < name) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Names from the first that is not less than `start`, in order. */
  *from(start: string): Generator<string> {
    for (let at = this.indexOf(start); at < this.#names.length; at++) yield this.#names[at] as string
  }

  /** Names that begin with the prefix, in order. */
  *withPrefix(prefix: string): Generator<string> {
    for (const name of this.from(prefix)) {
      if (!name.startsWith(prefix)) return
      yield name
    }
  }
}
