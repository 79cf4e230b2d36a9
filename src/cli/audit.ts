import { resolve } from 'node:path'
import { Command, type CommanderError, InvalidArgumentError, Option } from 'commander'
import type { AuditFilter, AuditPlace } from './audit-log-files.ts'
import { runCommand } from './command-failure.ts'
import { PROJECT_FOLDER } from './server-kind.ts'
import { collectSetting } from './setting.ts'

/** Exit status of a command that was not called as it should be, or cannot read what it should. */
const UNUSABLE = 2

/** Options as the command line gives them. */
interface GivenPlace {
  readonly dir?: string
  readonly server: 'zms' | 'zts'
  readonly root: string
  readonly define?: ReadonlyMap<string, string>
}

interface GivenVerify extends GivenPlace {
  readonly keyFile?: readonly string[]
  readonly contains?: { readonly seq: number; readonly hash: string }
}

interface GivenShow extends GivenPlace, AuditFilter {
  readonly json?: boolean
}

/** The command `athenz audit`: verifies and shows the audit log of a server. */
export function auditCommand(): Command {
  const audit = new Command('audit').description('the audit log of a server')
  placed(audit.command('verify'))
    .description(
      'say whether the log is as the server wrote it; exit status 0 = it is, 1 = it is not, 2 = that cannot be said',
    )
    .option('--key-file <file>', 'secret of a chain with a key, may be repeated', collectText)
    .option('--contains <line:hash>', 'a line that was noted elsewhere and must be there', parsePosition)
    .action(async (files: string[], { keyFile = [], contains, ...place }: GivenVerify) => {
      await runCommand('athenz audit verify', async () => {
        const { verifyAuditLog } = await import('./audit-verify.ts')
        return verifyAuditLog(placeOf(files, place), { keyFiles: keyFile, ...(contains && { contains }) })
      })
    })
  placed(audit.command('show'))
    .description('print the changes in the log, the oldest first')
    .option('--domain <name>', 'changes of this domain only')
    .option('--principal <name>', 'changes by this principal only, e.g. user.joe')
    .option('--api <operation>', 'changes by this operation only, e.g. putRole')
    .option('--since <time>', 'changes from this time on, e.g. 2026-01-31 or 2026-01-31T12:00:00Z', parseTime)
    .option('--until <time>', 'changes before this time', parseTime)
    .option('--json', 'print the lines as they are in the log')
    .action(async (files: string[], { json = false, domain, principal, api, since, until, ...place }: GivenShow) => {
      await runCommand('athenz audit show', async () => {
        const { showAuditLog } = await import('./audit-show.ts')
        return showAuditLog(placeOf(files, place), { domain, principal, api, since, until }, json)
      })
    })
  return audit
}

const placed = (command: Command): Command =>
  command
    .argument('[files...]', 'files of the log; without any, those of --dir, or of the server as it is configured')
    .option('--dir <folder>', 'folder of the log')
    .addOption(new Option('--server <name>', 'whose log').choices(['zms', 'zts']).default('zms'))
    .option('--root <folder>', 'folder that holds conf and var of the server', PROJECT_FOLDER)
    .option('-D, --define <key=value>', 'property that wins over the files; may be repeated', collectSetting)
    .exitOverride((error: CommanderError) => process.exit(error.exitCode === 0 ? 0 : UNUSABLE))

const placeOf = (files: readonly string[], { dir, server, root, define = new Map() }: GivenPlace): AuditPlace => {
  if (files.length > 0) return { files: files.map((file) => resolve(file)) }
  return dir === undefined ? { server, root: resolve(root), settings: define } : { folder: resolve(dir) }
}

const collectText = (text: string, before: readonly string[] = []): readonly string[] => [...before, text]

function parsePosition(text: string): { seq: number; hash: string } {
  const match = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text)
  if (!match) throw new InvalidArgumentError('Write line:hash, the hash with 64 hexadecimal digits.')
  return { seq: Number(match[1]), hash: match[2] as string }
}

function parseTime(text: string): number {
  const time = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(time)) throw new InvalidArgumentError('Write a time such as 2026-01-31T12:00:00Z.')
  return time
}
