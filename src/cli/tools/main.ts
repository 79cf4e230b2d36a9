import { homedir } from 'node:os'
import { runTool, type Tool } from './tool.ts'

/** Each tool is loaded when it is the one that was called. */
const TOOLS: ReadonlyMap<string, () => Promise<Tool>> = new Map([
  ['zts-svccert', async () => (await import('./zts-svccert.ts')).ztsSvcCert],
  ['zts-rolecert', async () => (await import('./zts-rolecert.ts')).ztsRoleCert],
  ['zts-roletoken', async () => (await import('./zts-roletoken.ts')).ztsRoleToken],
  ['zts-accesstoken', async () => (await import('./zts-accesstoken.ts')).ztsAccessToken],
  ['zts-idtoken', async () => (await import('./zts-idtoken.ts')).ztsIdToken],
  ['athenz-conf', async () => (await import('./athenz-conf.ts')).athenzConf],
])

const [name = '', ...args] = process.argv.slice(2)
const load = TOOLS.get(name)
if (load === undefined) {
  console.error(`there is no tool ${name}; there are ${[...TOOLS.keys()].join(', ')}`)
  process.exitCode = 2
} else {
  process.exitCode = await runTool(await load(), args, {
    env: process.env,
    home: process.env['HOME'] || homedir(),
    print: (text) => void process.stdout.write(text),
    complain: (line) => console.error(line),
  })
}
