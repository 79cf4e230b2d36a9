// `athenz dev` with the fake server in the place of ZMS: dev-with-fake-server.ts OPTIONS-AS-JSON
import { join } from 'node:path'
import { runCommand } from '../../src/cli/command-failure.ts'
import { type DevOptions, dev } from '../../src/cli/dev.ts'
import { DEV_SERVERS } from '../../src/cli/dev-servers.ts'

const given = JSON.parse(process.argv[2] ?? '{}') as Omit<DevOptions, 'settings' | 'without'> & {
  readonly settings: Record<string, string>
}
const options: DevOptions = { ...given, settings: new Map(Object.entries(given.settings)), without: new Set() }
const main = join(import.meta.dirname, 'fake-server.ts')
const servers = DEV_SERVERS.filter(({ kind }) => kind.name === 'zms').map((row) => ({
  ...row,
  kind: { ...row.kind, main },
}))
await runCommand('athenz dev', () => dev(options, servers))
