import type { Command } from 'commander'
import { addApply } from './apply-command.ts'
import { collectionCommand } from './collection-commands.ts'
import { addDoctor } from './doctor-command.ts'
import { domainCommand } from './domain-commands.ts'
import { addDue } from './due-command.ts'
import { addHistory } from './history-command.ts'
import { policyCommand } from './policy-commands.ts'
import { serviceCommand } from './service-commands.ts'
import { templateCommand } from './template-commands.ts'
import { tokenCommand } from './token-commands.ts'

/** Adds all commands that ask the servers. */
export function addControlCommands(program: Command): void {
  program.addCommand(domainCommand())
  program.addCommand(collectionCommand('role'))
  program.addCommand(collectionCommand('group'))
  program.addCommand(policyCommand())
  program.addCommand(serviceCommand())
  program.addCommand(templateCommand())
  program.addCommand(tokenCommand())
  addDue(program)
  addHistory(program)
  addApply(program)
  addDoctor(program)
}
