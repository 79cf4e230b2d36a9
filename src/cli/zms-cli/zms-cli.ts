import { AthenzClientError } from '#client/client-error.ts'
import { CommandFailure } from '../command-failure.ts'
import { FlagFailure, readCommandLine } from '../tools/flags.ts'
import { failureText, type Machine, ToolFailure } from '../tools/tool.ts'
import type { Command } from './command.ts'
import { commandNamed } from './commands.ts'
import { badSyntax, CommandRefusal, noDomain } from './failure.ts'
import { FLAGS, type Flags, flagsOf } from './flags.ts'
import { commandHelpText, commandListText, usageText } from './help.ts'
import { refusalText, resultText } from './output.ts'
import { versionText } from './version.ts'

const DONE = 0
const FAILED = 1
const BAD_FLAG = 2

/**
 * Runs a command line and gives the exit status: 0, 1 when the command was refused, 2 for flags that do not exist.
 * Refusals are printed on standard output in the form that was asked for; what keeps the tool from beginning is printed
 * on standard error.
 */
export async function runZmsCli(args: readonly string[], machine: Machine): Promise<number> {
  try {
    const read = readCommandLine(FLAGS, args)
    if (read === 'version') return print(machine, await versionText())
    if (read === 'help' || read.words.length === 0) return print(machine, usageText())
    const [name = '', ...words] = read.words
    if (name === 'version') return print(machine, await versionText())
    if (name === 'help') return print(machine, await helpText(words[0]))
    return await runCommand(flagsOf(read.flags), name, words, machine)
  } catch (error) {
    if (error instanceof FlagFailure) {
      machine.complain(`${error.message}\n\n${usageText()}`)
      return BAD_FLAG
    }
    if (!(error instanceof ToolFailure) && !(error instanceof CommandFailure)) throw error
    machine.complain(`zms-cli: ${failureText(error)}`)
    return FAILED
  }
}

const helpText = (name: string | undefined): Promise<string> =>
  name === undefined ? commandListText() : commandHelpText(name)

function print(machine: Machine, text: string): number {
  machine.print(`${text}\n`)
  return DONE
}

async function runCommand(flags: Flags, name: string, words: readonly string[], machine: Machine): Promise<number> {
  try {
    const command = await commandNamed(name)
    if (command === undefined) throw unknownCommand(name, flags)
    if (words.length === 0 && command.count[0] > 0 && !command.inDomain)
      return print(machine, await commandHelpText(name))
    refuseWrongWords(command, flags, words)
    // The client library is for those who ask a server: it takes two thirds of the start of all others.
    const { openSession } = await import('./caller.ts')
    await using session = await openSession(flags, machine)
    const text = resultText(await command.run(session, words), flags.format)
    return text === undefined ? DONE : print(machine, text)
  } catch (error) {
    if (!(error instanceof CommandRefusal) && !(error instanceof AthenzClientError)) throw error
    print(machine, refusalText(error.code, error.message, flags.format))
    return FAILED
  }
}

// The original asks for the domain before it looks at the word.
const unknownCommand = (name: string, { domain }: Flags): CommandRefusal =>
  domain === undefined ? noDomain() : new CommandRefusal(`unrecognized command '${name}': 'zms-cli help' lists all`)

function refuseWrongWords(
  { name, count: [least, most], inDomain }: Command,
  { domain }: Flags,
  words: readonly string[],
): void {
  if (inDomain && domain === undefined) throw noDomain()
  if (words.length < least || words.length > most) throw badSyntax(name)
}
