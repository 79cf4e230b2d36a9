/** What has been opened so far, to be closed in the opposite order. */
export class Closers {
  readonly #closers: (() => Promise<void> | void | undefined)[] = []

  /** Remembers how something is closed. */
  add(close: () => Promise<void> | void | undefined): void {
    this.#closers.push(close)
  }

  /** Remembers a part that knows how to close itself, and gives it back. */
  keep<T extends { close?(): Promise<void> | void } | undefined>(part: T): T {
    if (part?.close) this.add(() => part.close?.())
    return part
  }

  /** Closes everything, the last first; what fails does not keep the others open, and then rejects. */
  async close(): Promise<void> {
    const failures: unknown[] = []
    for (const close of this.#closers.splice(0).toReversed()) {
      try {
        await close()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures.length === 1 ? failures[0] : new AggregateError(failures)
  }
}
