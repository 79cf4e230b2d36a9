import { join, resolve } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { auditCommand } from './audit.ts'
import { runCommand } from './command-failure.ts'
import { completionCommand } from './control/completion-command.ts'
import { contextCommand } from './control/context-command.ts'
import { addControlCommands } from './control/control-commands.ts'
import { withDataOptions } from './data-location.ts'
import type { DevOptions } from './dev.ts'
import { explainCommand } from './explain.ts'
import type { ExportOptions } from './export.ts'
import type { ImportOptions } from './import.ts'
import type { MigrateOptions } from './migrate.ts'
import type { NotifyOptions } from './notify.ts'
import { parseDays, parseTime } from './notify-arguments.ts'
import { PROJECT_FOLDER, type ServerKind } from './server-kind.ts'
import { collectSetting } from './setting.ts'
import { siaCommand } from './sia.ts'

const DEV_FOLDER = join(PROJECT_FOLDER, 'var', 'dev')

const program = new Command('athenz').description(
  'Athenz: domains, roles and policies for services, and their identities',
)

const devCommand = program
  .command('dev')
  .description('run the servers here for development; the first start makes CA, keys and configuration')
  .option('--dir <folder>', 'folder for everything it makes (default: var/dev of this project)')
  .option('--zms-port <port>', 'port of ZMS, 0 = a free one (default: 4443)', parsePort)
  .option('--zts-port <port>', 'port of ZTS, 0 = a free one (default: 8443)', parsePort)
  .option(
    '--ui-port <port>',
    'port of the web page, 0 = a free one (default: 9443, or a free one when that is taken)',
    parsePort,
  )
  .addOption(
    new Option('--store <kind>', 'where ZMS keeps its data (default: as before, at first file)').choices([
      'file',
      'mysql',
    ]),
  )
  .option('--mysql-url <url>', 'database for --store mysql: mysql://user:password@host:port/db')
  .option('--set <key=value>', 'property that wins over the configuration files; may be repeated', collectSetting)
  .option('--no-zts', 'leave out ZTS')
  .option('--no-ui', 'leave out the web page')
  .option('--reset', 'delete what earlier runs made in the folder, then start')
  .option('--json', 'print one line of JSON when ready')
  .action(async (options: DevArguments) => {
    await runCommand('athenz dev', async () => (await import('./dev.ts')).dev(devOptions(options)))
  })

devCommand
  .command('link')
  .description('print a new link that signs in to the web page as the administrator, once')
  .action(async (_options: object, command: Command) => {
    const { dir = DEV_FOLDER } = command.optsWithGlobals<DevArguments>()
    await runCommand('athenz dev link', async () => {
      console.log(await (await import('./dev-ui.ts')).makeSignInLink(resolve(dir)))
      return 0
    })
  })

program.addCommand(auditCommand())
program.addCommand(siaCommand())
program.addCommand(explainCommand())

withDataOptions(program.command('migrate'))
  .description('bring the configured databases, made by any Athenz since the end of 2017, up to date')
  .option('--dry-run', 'print the SQL and change nothing')
  .option('--allow-unknown-columns', 'go on although tables have columns that no known version has')
  .action(async (options: MigrateOptions) => {
    await runCommand('athenz migrate', async () => (await import('./migrate.ts')).migrate(options))
  })

withDataOptions(program.command('export <file>'))
  .description('write all data of ZMS to a portable file, compressed if it ends with .gz; - is standard output')
  .option('--store-dir <folder>', 'folder of an embedded store, instead of the configured one')
  .option('--allow-unknown-columns', 'leave out columns that no known version has')
  .action(async (file: string, options: ExportOptions) => {
    await runCommand('athenz export', async () => (await import('./export.ts')).exportData(file, options))
  })

withDataOptions(program.command('import <file>'))
  .description('fill an empty store with the data of such a file; - is standard input')
  .option('--store-dir <folder>', 'folder of an embedded store, instead of the configured one')
  .option('--replace', 'take the place of data that are there')
  .option('--accept-loss', 'leave out what the store has no place for')
  .action(async (file: string, options: ImportOptions) => {
    await runCommand('athenz import', async () => (await import('./import.ts')).importData(file, options))
  })

withDataOptions(program.command('notify'))
  .description('print whom ZMS would tell of what ends, is to be reviewed or awaits them')
  .option('--store-dir <folder>', 'folder of an embedded store, instead of the configured one')
  .option('--dry-run', 'send nothing and change nothing; nothing else is possible')
  .option('--at <date>', 'as if it were that day or time (UTC), e.g. 2030-01-31 (default: now)', parseTime)
  .option('--days <number>', 'for so many days from then on', parseDays, 1)
  .option('--json', 'print data instead of text')
  .action(async (options: NotifyOptions) => {
    await runCommand('athenz notify', async () => (await import('./notify.ts')).notify(options))
  })

program.addCommand(contextCommand(process.env))
addControlCommands(program)
program.addCommand(completionCommand(program))

await program.parseAsync()

/** Options as the command line gives them. */
interface DevArguments extends Pick<DevOptions, 'store' | 'mysqlUrl'> {
  readonly dir?: string
  readonly zmsPort?: number
  readonly ztsPort?: number
  readonly uiPort?: number
  readonly set?: ReadonlyMap<string, string>
  readonly zts: boolean
  readonly ui: boolean
  readonly reset?: boolean
  readonly json?: boolean
}

function devOptions(given: DevArguments): DevOptions {
  const { dir = DEV_FOLDER, zmsPort, ztsPort, uiPort, set = new Map(), zts, ui, ...rest } = given
  const ports = {
    ...(zmsPort !== undefined && { zms: zmsPort }),
    ...(ztsPort !== undefined && { zts: ztsPort }),
    ...(uiPort !== undefined && { ui: uiPort }),
  }
  const without = new Set<ServerKind['name']>([...(zts ? [] : ['zts' as const]), ...(ui ? [] : ['ui' as const])])
  return { reset: false, json: false, ...rest, dir, ports, settings: set, without }
}

function parsePort(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65535) throw new InvalidArgumentError('Write a number from 0 to 65535.')
  return Number(text)
}
