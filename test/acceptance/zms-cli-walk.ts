import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A line of the walk through all commands. */
export interface WalkLine {
  /** The code that it is refused with, 0 when it succeeds. */
  readonly code: number
  readonly command: string
}

/** The walk of `zms-cli-commands.txt`. */
export const walkLines = (): WalkLine[] =>
  readFileSync(join(import.meta.dirname, 'zms-cli-commands.txt'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, code = '0', command = ''] = /^(?:(\d{3}) )?(.*)$/.exec(line) ?? []
      return { code: Number(code), command }
    })
