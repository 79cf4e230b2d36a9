// `zms` with the fake server in the place of ZMS.
import { join } from 'node:path'
import { serverCommand } from '../../src/cli/server-command.ts'
import { ZMS } from '../../src/cli/server-kind.ts'

await serverCommand({ ...ZMS, main: join(import.meta.dirname, 'fake-server.ts') }).parseAsync()
