import type { TestContext } from 'node:test'

/** How many answers of which kind there were: a test that agrees on refusals only has not tested much. */
export class Tally {
  readonly #counts = new Map<string, number>()
  total = 0

  add(kind: string): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1)
    this.total++
  }

  report(context: TestContext): void {
    const parts = [...this.#counts].map(([kind, count]) => `${kind}: ${count}`).toSorted((a, b) => (a < b ? -1 : 1))
    context.diagnostic(`${this.total} answers (${parts.join(', ')})`)
  }
}
