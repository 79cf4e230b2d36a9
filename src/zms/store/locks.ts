/**
 * Mutual exclusion by name within this process. Several names are taken in ascending order, so that two callers can
 * never wait for each other; waiters are served in the order they came.
 */
export class Locks {
  readonly #tails = new Map<string, Promise<void>>()

  /** Runs `work` while holding every name; names are released when it settles. */
  async hold<T>(names: Iterable<string>, work: () => Promise<T>): Promise<T> {
    const releases: (() => void)[] = []
    try {
      for (const name of [...new Set(names)].sort()) releases.push(await this.#take(name))
      return await work()
    } finally {
      for (const release of releases.toReversed()) release()
    }
  }

  async #take(name: string): Promise<() => void> {
    const before = this.#tails.get(name)
    const { promise: released, resolve } = Promise.withResolvers<void>()
    const tail = before ? before.then(() => released) : released
    this.#tails.set(name, tail)
    await before
    return () => {
      if (this.#tails.get(name) === tail) this.#tails.delete(name)
      resolve()
    }
  }
}
