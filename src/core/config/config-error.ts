/** The configuration cannot be used; `problems` lists everything that is wrong, one line each, not just the first. */
export class ConfigError extends Error {
  /** Lines of the form `FILE:LINE: KEY: reason (what to do)`. */
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/** One line about one key: `ORIGIN: KEY: REASON`, where the origin is `FILE:LINE`, `command line` or `default`. */
export const problemLine = (origin: string, key: string, reason: string): string => `${origin}: ${key}: ${reason}`
