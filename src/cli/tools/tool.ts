import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '#core/error/message-of.ts'
import { reasonOf } from '../command-failure.ts'
import { PROJECT_FOLDER } from '../server-kind.ts'
import { FlagFailure, type FlagTable, type FlagValues, flagLines, readFlags } from './flags.ts'

/** What a tool takes from the machine. */
export interface Machine {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Folder of the user. */
  readonly home: string
  /** Writes to standard output as it is. */
  readonly print: (text: string) => void
  /** Writes a line to standard error. */
  readonly complain: (line: string) => void
}

/** A command-line tool in the manner of the original's: flags alone, one task. */
export interface Tool<F extends FlagTable = FlagTable> {
  readonly name: string
  readonly about: string
  /** Ways to call it, without its name. */
  readonly usages: readonly string[]
  readonly flags: F
  /** @throws ToolFailure, MisuseFailure, and errors of the client library */
  run(given: FlagValues<F>, machine: Machine): Promise<void>
}

/** The tool cannot do what it was asked to. */
export class ToolFailure extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ToolFailure'
  }
}

/** Flags that the task needs are missing: the ways to call the tool are shown on standard output. */
export class MisuseFailure extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'MisuseFailure'
  }
}

/** Keeps the types of a table and its values together. */
export const tool = <F extends FlagTable>(definition: Tool<F>): Tool => definition

const FAILURE = 1
const BAD_FLAG = 2

/** Runs a tool and gives its exit status: 0, 1 when it failed, 2 for flags that do not exist. */
export async function runTool(definition: Tool, args: readonly string[], machine: Machine): Promise<number> {
  try {
    const given = readFlags(definition.flags, args)
    if (given === 'help') machine.print(helpText(definition))
    else if (given === 'version') machine.print(`${definition.name} ${await versionOf()}\n`)
    else await definition.run(given, machine)
    return 0
  } catch (error) {
    if (error instanceof FlagFailure) {
      machine.complain(`${error.message}\n${helpText(definition)}`.trimEnd())
      return BAD_FLAG
    }
    if (error instanceof MisuseFailure) machine.print(usageText(definition))
    machine.complain(`${timeOfDay(new Date())} ${failureText(error)}`)
    return FAILURE
  }
}

/** What went wrong, as the tools say it: refusals of a server as `STATUS MESSAGE`. */
export function failureText(error: unknown): string {
  if (error instanceof Error && error.name === 'AthenzClientError' && 'status' in error && 'code' in error) {
    return error.status === undefined ? error.message : `${String(error.code)} ${error.message}`
  }
  return messageOf(error)
}

/** Reads a file that a flag names, as text. */
export async function readGivenFile(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new ToolFailure(`unable to read ${what} ${file}: ${reasonOf(error)}`)
  }
}

async function versionOf(): Promise<string> {
  const { version } = JSON.parse(await readFile(join(PROJECT_FOLDER, 'package.json'), 'utf8')) as { version: string }
  return version
}

const usageText = ({ name, usages }: Tool): string =>
  usages.map((usage, index) => `${index === 0 ? 'usage:' : '      '} ${name} ${usage}\n`).join('')

const helpText = (definition: Tool): string =>
  `${definition.about}\n${usageText(definition)}\n${flagLines(definition.flags).join('\n')}\n`

const two = (value: number): string => String(value).padStart(2, '0')

/** Date and time as logs of the original's tools begin. */
function timeOfDay(now: Date): string {
  const day = [now.getFullYear(), two(now.getMonth() + 1), two(now.getDate())].join('/')
  return `${day} ${[now.getHours(), now.getMinutes(), now.getSeconds()].map(two).join(':')}`
}
