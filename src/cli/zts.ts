import { serverCommand } from './server-command.ts'
import { ZTS } from './server-kind.ts'

await serverCommand(ZTS).parseAsync()
