import { Argument, Command, type Option } from 'commander'
import type { CompletionShell } from './completion.ts'

/** The command `athenz completion`, which prints scripts made of the commands of `program`. */
export function completionCommand(program: Command): Command {
  return new Command('completion')
    .description('print a script with which a shell completes command lines')
    .addArgument(new Argument('<shell>', 'which shell').choices(['bash', 'zsh', 'fish']))
    .addHelpText(
      'after',
      `
  bash: athenz completion bash > /etc/bash_completion.d/athenz
  zsh:  athenz completion zsh > "\${fpath[1]}/_athenz"
  fish: athenz completion fish > ~/.config/fish/completions/athenz.fish`,
    )
    .action(async (shell: CompletionShell) => {
      const { completionScript } = await import('./completion.ts')
      process.stdout.write(completionScript(shell, treeOf(program)))
    })
}

/** A command with its options and the commands below it, as completion needs them. */
export interface CommandTree {
  readonly name: string
  readonly description: string
  readonly options: readonly CompletedOption[]
  readonly commands: readonly CommandTree[]
}

/** An option in its forms; `values` are those it can have, undefined: any, empty: it takes none. */
export interface CompletedOption {
  readonly flags: readonly string[]
  readonly description: string
  readonly values: readonly string[] | undefined
}

/** The tree of a command. */
export function treeOf(command: Command): CommandTree {
  return {
    name: command.name(),
    description: command.description(),
    options: [
      ...command.options.map(optionOf),
      { flags: ['--help'], description: 'display help for command', values: [] },
    ],
    commands: command.commands.map(treeOf),
  }
}

const optionOf = (option: Option): CompletedOption => ({
  flags: [option.short, option.long].filter((flag) => flag !== undefined && flag !== null),
  description: option.description,
  values: option.required || option.optional ? option.argChoices : [],
})
