import { administratorCommands } from './administrator-commands.ts'
import type { Command, CommandGroup } from './command.ts'
import { dependencyCommands } from './dependency-commands.ts'
import { domainCommands } from './domain-commands.ts'
import { entityCommands } from './entity-commands.ts'
import { groupCommands } from './group-commands.ts'
import { otherCommands } from './other-commands.ts'
import { policyCommands } from './policy-commands.ts'
import { roleCommands } from './role-commands.ts'
import { serviceCommands } from './service-commands.ts'
import { templateCommands } from './template-commands.ts'
import { tenancyCommands } from './tenancy-commands.ts'

/** All commands in the order of the help. */
export const COMMAND_GROUPS: readonly CommandGroup[] = [
  domainCommands,
  dependencyCommands,
  policyCommands,
  roleCommands,
  groupCommands,
  serviceCommands,
  entityCommands,
  tenancyCommands,
  templateCommands,
  administratorCommands,
  otherCommands,
]

const BY_NAME: ReadonlyMap<string, Command> = new Map(
  COMMAND_GROUPS.flatMap(({ commands }) => commands).map((command) => [command.name, command]),
)

/** A command by its word. */
export const commandNamed = (name: string): Command | undefined => BY_NAME.get(name)
