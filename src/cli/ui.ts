import { serverCommand } from './server-command.ts'
import { UI } from './server-kind.ts'

await serverCommand(UI).parseAsync()
