/** Fewer steps are over before anybody has read of them. */
const STEPS_WORTH_TELLING = 3
const ERASE_LINE = '\r\u001B[K'
/** So often a number that runs is shown anew. */
const ROWS_MILLIS = 200

/**
 * One line of standard error that says what goes on, for people who wait at a terminal; a file or another program gets
 * nothing. What is shown next takes its place, and at the end it is gone.
 */
export class ProgressLine {
  #isThere = false

  /** Whether anybody sees it. */
  get isShown(): boolean {
    return process.stderr.isTTY
  }

  show(text: string): void {
    if (!this.isShown) return
    // A line that the terminal breaks in two could not be erased.
    const width = Math.max((process.stderr.columns || 80) - 1, 1)
    process.stderr.write(ERASE_LINE + text.slice(0, width))
    this.#isThere = true
  }

  end(): void {
    if (this.#isThere) process.stderr.write(ERASE_LINE)
    this.#isThere = false
  }
}

/** Tells how many of the steps of a long work are done. */
export class StepProgress {
  readonly #line = new ProgressLine()
  readonly #total: number
  #step = 0

  constructor(total: number) {
    this.#total = total
  }

  /** The next step begins. */
  begin(what: string): void {
    this.#step++
    if (this.#total >= STEPS_WORTH_TELLING) this.#line.show(`[${this.#step}/${this.#total}] ${what}`)
  }

  end(): void {
    this.#line.end()
  }
}

/** Tells that something is waited for, and how long already. */
export class WaitingProgress {
  readonly #line = new ProgressLine()
  readonly #what: string
  readonly #since = performance.now()

  constructor(what: string) {
    this.#what = what
  }

  tick(): void {
    const seconds = Math.floor((performance.now() - this.#since) / 1000)
    this.#line.show(`${this.#what} (${seconds} s)`)
  }

  end(): void {
    this.#line.end()
  }
}

/** Tells how many rows were moved. */
export class RowProgress {
  readonly #line = new ProgressLine()
  #shownAt = -ROWS_MILLIS

  readonly show = (rows: number): void => {
    const now = performance.now()
    if (!this.#line.isShown || now - this.#shownAt < ROWS_MILLIS) return
    this.#shownAt = now
    this.#line.show(`${rows.toLocaleString('en')} rows`)
  }

  end(): void {
    this.#line.end()
  }
}
