/** From so many new names on, sorting anew is quicker than putting each in its place. */
const MANY = 16

/** Distinct names in ascending order of their UTF-16 code units; finding a place takes logarithmic time. */
export class SortedNames {
  readonly #known = new Set<string>()
  /** In order but for those added since it was last asked for. */
  #names: string[] = []
  #added: string[] = []

  add(name: string): void {
    if (this.#known.has(name)) return
    this.#known.add(name)
    this.#added.push(name)
  }

  delete(name: string): void {
    if (!this.#known.delete(name)) return
    const names = this.#sorted()
    names.splice(placeIn(names, name), 1)
  }

  /** Names from the first that is not less than `start`, in order. */
  *from(start: string): Generator<string> {
    const names = this.#sorted()
    for (let at = placeIn(names, start); at < names.length; at++) yield names[at] as string
  }

  /** Names that begin with the prefix, in order. */
  *withPrefix(prefix: string): Generator<string> {
    for (const name of this.from(prefix)) {
      if (!name.startsWith(prefix)) return
      yield name
    }
  }

  #sorted(): string[] {
    if (this.#added.length >= MANY) this.#names = [...this.#names, ...this.#added].sort()
    else for (const name of this.#added) this.#names.splice(placeIn(this.#names, name), 0, name)
    this.#added = []
    return this.#names
  }
}

/** Place of the first name that is not less than `name`. */
function placeIn(names: readonly string[], name: string): number {
  let [low, high] = [0, names.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((names[middle] as string) < name) low = middle + 1
    else high = middle
  }
  return low
}
