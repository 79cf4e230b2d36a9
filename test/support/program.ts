import { type ChildProcess, spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'

/** How a program ended. */
export interface ProgramEnd {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
}

/** A program that a test runs beside itself; ended when the test is left. */
export interface Program extends AsyncDisposable {
  readonly pid: number
  readonly process: ChildProcess
  readonly ended: Promise<ProgramEnd>
  /** What it has printed so far. */
  stdout(): string
  stderr(): string
  /** The next line of its standard output; rejects with its standard error when there is none. */
  line(): Promise<string>
  /** All further lines of its standard output. */
  lines(): AsyncIterable<string>
  kill(signal?: NodeJS.Signals): void
}

/** Starts a program with its output kept. */
export function startProgram(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Program {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  let [out, err] = ['', '']
  let position = 0
  const printed = new EventEmitter()
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
    printed.emit('text')
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const ended: Promise<ProgramEnd> = once(child, 'close').then(([status, signal]) => ({ status, signal }))
  void ended.then(() => printed.emit('text'))
  const nextLine = async (): Promise<string | undefined> => {
    for (;;) {
      const end = out.indexOf('\n', position)
      if (end !== -1) {
        const line = out.slice(position, end)
        position = end + 1
        return line
      }
      if (child.stdout.readableEnded) return undefined
      await once(printed, 'text')
    }
  }
  return {
    pid: child.pid ?? 0,
    process: child,
    ended,
    stdout: () => out,
    stderr: () => err,
    async line() {
      const line = await nextLine()
      if (line === undefined) throw new Error(`${command} ended (${JSON.stringify(await ended)}): ${err}`)
      return line
    },
    async *lines() {
      for (let line = await nextLine(); line !== undefined; line = await nextLine()) yield line
    },
    kill: (signal = 'SIGTERM') => void child.kill(signal),
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGTERM')
      await ended
    },
  }
}

/** Runs a program to its end. */
export async function runProgram(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<ProgramEnd & { readonly stdout: string; readonly stderr: string }> {
  const program = startProgram(command, args, options)
  const end = await program.ended
  return { ...end, stdout: program.stdout(), stderr: program.stderr() }
}
