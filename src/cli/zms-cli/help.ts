import { flagLines } from '../tools/flags.ts'
import type { Command } from './command.ts'
import { allCommandGroups, commandNamed } from './commands.ts'
import { FLAGS } from './flags.ts'
import { textOf } from './lines.ts'

/** How the tool is called, and its flags. */
export const usageText = (): string =>
  textOf([
    'usage: zms-cli [flags] command [arguments]',
    ...flagLines(FLAGS),
    '',
    "'zms-cli help' lists the commands, 'zms-cli help COMMAND' explains one",
  ])

/** All commands with their arguments. */
export async function commandListText(): Promise<string> {
  const groups = await allCommandGroups()
  return textOf(groups.flatMap(({ title, commands }) => [` ${title} commands:`, ...commands.map(commandLine), '']))
}

const commandLine = ({ name, usage }: Command): string => `   ${name} ${usage}`.trimEnd()

/** What a command does and how it is called. */
export async function commandHelpText(name: string): Promise<string> {
  const command = await commandNamed(name)
  if (command === undefined) return textOf([`there is no command ${name}: 'zms-cli help' lists all`])
  const { usage, summary, inDomain } = command
  return textOf([summary, '', ` zms-cli ${inDomain ? '-d domain ' : ''}${name} ${usage}`.trimEnd()])
}
