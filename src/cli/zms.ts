import { serverCommand } from './server-command.ts'
import { ZMS } from './server-kind.ts'

await serverCommand(ZMS).parseAsync()
