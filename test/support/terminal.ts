import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import type { ProgramEnd } from './program.ts'

/** A program on a terminal of its own; ended when the test is left. */
export interface TerminalProgram extends AsyncDisposable {
  readonly ended: Promise<ProgramEnd>
  /** Everything that came to the terminal: both outputs of the program, and what the terminal echoes of typed text. */
  screen(): string
  /** Waits for a text on the screen; rejects with the screen when the program ends without it. */
  shows(text: string | RegExp): Promise<void>
  /** Types text; `\u0003` is what Ctrl-C sends. */
  type(text: string): void
}

/** However busy the machine is: what is not shown by then never is. */
const PATIENCE_MILLIS = 60_000

/** Within single quotes of a POSIX shell. */
const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`

/** Starts a program on a pseudo terminal that echoes what is typed, made by script(1) of util-linux, which every Debian has. */
export function startOnTerminal(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): TerminalProgram {
  const line = `exec ${[command, ...args].map(quoted).join(' ')}`
  const script = ['--quiet', '--return', '--flush', '--echo', 'always', '--command', line, '/dev/null']
  const child = spawn('script', script, { ...options, stdio: ['pipe', 'pipe', 'inherit'] })
  let screen = ''
  const changes = new EventEmitter()
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text
    changes.emit('change')
  })
  let isOver = false
  const ended: Promise<ProgramEnd> = once(child, 'close').then(([status, signal]) => {
    isOver = true
    changes.emit('change')
    return { status, signal }
  })
  return {
    ended,
    screen: () => screen,
    async shows(text) {
      const signal = AbortSignal.timeout(PATIENCE_MILLIS)
      const isShown = () => (typeof text === 'string' ? screen.includes(text) : text.test(screen))
      while (!isShown()) {
        if (isOver) throw new Error(`${command} ended without ${text} on the screen:\n${screen}`)
        await once(changes, 'change', { signal }).catch(() => {
          throw new Error(`${command} did not show ${text} in ${PATIENCE_MILLIS} ms:\n${screen}`)
        })
      }
    },
    type: (text) => void child.stdin.write(text),
    async [Symbol.asyncDispose]() {
      // The end of its input is the end of the terminal: its programs get SIGHUP.
      child.stdin.end()
      if (!isOver) child.kill('SIGKILL')
      await ended
    },
  }
}
