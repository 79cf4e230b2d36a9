import { homedir } from 'node:os'
import type { Command } from 'commander'
import { CommandFailure } from '../command-failure.ts'
import { exitStatusHelp, runControl } from './exit-status.ts'
import { Session, type SessionOptions, withSession } from './session.ts'

/** Options of commands that change something. */
export interface WriteOptions extends SessionOptions {
  readonly dryRun?: boolean
  readonly auditRef?: string
}

/** A command below another one, which asks servers. */
export interface ControlCommand<O extends SessionOptions> {
  /** Name and arguments, e.g. `get <domain> <role>`. */
  readonly usage: string
  readonly description: string
  /** Shows changes with `--dry-run`, and says in the audit log why they are made. */
  readonly writes?: boolean
  /** Adds further options. */
  readonly options?: (command: Command) => Command
  /** What exit status 6 stands for. */
  readonly negative?: string
  /** Gives the exit status. `words` are the arguments. */
  readonly run: (session: Session, words: Words, options: O) => Promise<number>
}

/** Arguments of a command by position; a list where the last one may be repeated. */
export type Words = readonly (string | readonly string[])[]

/** An argument that is one word. */
export const wordAt = (words: Words, at: number): string => {
  const word = words[at]
  return typeof word === 'string' ? word : ''
}

/** Arguments of which there may be several. */
export const wordsAt = (words: Words, at: number): readonly string[] => {
  const list = words[at]
  return typeof list === 'object' ? list : []
}

/** The reason of a change, as the operations take it. */
export const audited = (auditRef: string | undefined): { readonly auditRef?: string } =>
  auditRef === undefined ? {} : { auditRef }

/** Two words with `=` between them, neither empty. Throws a CommandFailure that says to write `form`. */
export function readPair(word: string, form: string): [name: string, value: string] {
  const equals = word.indexOf('=')
  if (equals < 1 || equals === word.length - 1) throw new CommandFailure(`${word}: write ${form}`)
  return [word.slice(0, equals), word.slice(equals + 1)]
}

/** Adds a command that asks servers to its parent. */
export function addControl<O extends SessionOptions>(parent: Command, definition: ControlCommand<O>): Command {
  const { usage, description, writes = false, options, negative, run } = definition
  const command = withSession(parent.command(usage).description(description))
  if (writes) {
    command
      .option('--dry-run', 'show what would change, and change nothing')
      .option('--audit-ref <text>', 'reason for the audit log')
  }
  options?.(command)
  const no = negative ?? (writes ? 'with --dry-run: something would change' : undefined)
  command.addHelpText('after', exitStatusHelp(no))
  command.action(async (...called: unknown[]) => {
    // Commander gives the arguments, then the options, then the command.
    const words = called.slice(0, -2) as (string | readonly string[])[]
    const name = ancestors(command)
      .map((each) => each.name())
      .join(' ')
    await runControl(name, async () => {
      const machine = { env: process.env, home: process.env['HOME'] || homedir() }
      const given = command.opts<O>()
      await using session = await Session.open(given, machine)
      return await run(session, words, given)
    })
  })
  return command
}

/** A command and those above it but the program, from the top. */
const ancestors = (command: Command): Command[] =>
  command.parent === null || command.parent.parent === null ? [command] : [...ancestors(command.parent), command]
