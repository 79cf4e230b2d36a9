/** Fewer steps are over before anybody has read of them. */
const STEPS_WORTH_TELLING = 3
const ERASE_LINE = '\r\u001B[K'

/** Tells on a terminal how far long work has come, in one line of standard error; elsewhere it is silent. */
export class Progress {
  readonly #total: number
  readonly #isShown: boolean
  #step = 0

  constructor(total: number) {
    this.#total = total
    this.#isShown = process.stderr.isTTY && total >= STEPS_WORTH_TELLING
  }

  /** The next step begins. */
  begin(what: string): void {
    this.#step++
    if (this.#isShown) process.stderr.write(`${ERASE_LINE}[${this.#step}/${this.#total}] ${what}`)
  }

  /** No more is told; the line is gone. */
  end(): void {
    if (this.#isShown && this.#step > 0) process.stderr.write(ERASE_LINE)
  }
}

/** Tells on a terminal that something is waited for, and how long already. */
export class Waiting {
  readonly #what: string
  readonly #since = performance.now()

  constructor(what: string) {
    this.#what = what
  }

  tick(): void {
    if (!process.stderr.isTTY) return
    const seconds = Math.floor((performance.now() - this.#since) / 1000)
    process.stderr.write(`${ERASE_LINE}${this.#what} (${seconds} s)`)
  }

  /** The line is gone. */
  end(): void {
    if (process.stderr.isTTY) process.stderr.write(ERASE_LINE)
  }
}
