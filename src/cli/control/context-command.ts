import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { Command } from 'commander'
import { CommandFailure, runCommand } from '../command-failure.ts'
import { type Context, contextsFile, readContexts, requireContextName, writeContexts } from './contexts.ts'
import { type OutputFormat, outputOption, printResult } from './output.ts'
import { type ServerOptions, withServers } from './session.ts'

/** Options of `athenz context set`. */
interface SetOptions extends ServerOptions {
  readonly dev?: string
}

/** The command `athenz context`: servers and identities by name, in a file of the user. */
export function contextCommand(env: Readonly<Record<string, string | undefined>>): Command {
  const file = () => contextsFile(env, env['HOME'] || homedir())
  const command = new Command('context').description('servers and identities by name, and the one in use')
  command.addHelpText('after', '\nThey are kept in ~/.athenz/contexts.yaml, or in the file that ATHENZ_CONTEXTS names.')

  command
    .command('list')
    .description('list them')
    .addOption(outputOption())
    .action(async ({ output }: { output: OutputFormat }) => {
      await runCommand('athenz context', async () => {
        const { current, contexts } = await readContexts(file())
        const rows = Array.from(contexts, ([name, { zms, zts, certificate, tokenFile }]) => {
          const identity = certificate ?? tokenFile
          return {
            name,
            current: name === current,
            ...(zms && { zms }),
            ...(zts && { zts }),
            ...(identity && { identity }),
          }
        })
        const columns = ['', 'NAME', 'ZMS', 'ZTS', 'IDENTITY']
        const cells = rows.map((row) => [row.current ? '*' : ' ', row.name, row.zms, row.zts, row.identity])
        await printResult({ value: rows, table: { columns, rows: cells } }, output)
        return 0
      })
    })

  command
    .command('use <name>')
    .description('take one for all commands from now on')
    .action(async (name: string) => {
      await runCommand('athenz context', async () => {
        const { contexts } = await readContexts(file())
        if (!contexts.has(name)) throw new CommandFailure(`there is no context ${name} in ${file()}`)
        await writeContexts(file(), { current: name, contexts })
        return 0
      })
    })

  withServers(command.command('set <name>'))
    .description('make one, or change what is given of it; the first one comes into use')
    .option('--dev <folder>', 'the servers that athenz dev runs in a folder, and their administrator')
    .action(async (name: string, options: SetOptions) => {
      await runCommand('athenz context', async () => {
        requireContextName(name)
        const { current, contexts } = await readContexts(file())
        const context = { ...contexts.get(name), ...(await contextOf(options)) }
        await writeContexts(file(), { current: current ?? name, contexts: new Map([...contexts, [name, context]]) })
        return 0
      })
    })

  command
    .command('delete <name>')
    .description('forget one')
    .action(async (name: string) => {
      await runCommand('athenz context', async () => {
        const { current, contexts } = await readContexts(file())
        if (!contexts.has(name)) throw new CommandFailure(`there is no context ${name} in ${file()}`)
        const others = new Map([...contexts].filter(([other]) => other !== name))
        await writeContexts(file(), { current: current === name ? undefined : current, contexts: others })
        return 0
      })
    })
  return command
}

const path = (given: string | undefined): string | undefined => (given === undefined ? undefined : resolve(given))

/** Files are found from wherever the context is used later. */
async function contextOf({ zms, zts, caFile, certFile, keyFile, tokenFile, dev }: SetOptions): Promise<Context> {
  const given = {
    zms,
    zts,
    ca: path(caFile),
    certificate: path(certFile),
    key: path(keyFile),
    tokenFile: path(tokenFile),
  }
  const { readDevContext } = await import('../dev-context.ts')
  const said = Object.entries(given).filter(([, value]) => value !== undefined)
  return { ...(dev !== undefined && (await readDevContext(dev))), ...Object.fromEntries(said) }
}
