import { Command } from 'commander'
import { runCommand } from './command-failure.ts'

/** What the command line gives besides the question. */
export interface ExplainOptions {
  readonly context?: string
  readonly zms?: string
  readonly caFile?: string
  readonly certFile?: string
  readonly keyFile?: string
  readonly tokenFile?: string
  readonly trustDomain?: string
  readonly json?: boolean
}

/** The command `athenz explain`: why somebody may or may not do something, and what would change that. */
export function explainCommand(): Command {
  return new Command('explain')
    .description('say why a principal may or may not do something, and what would make it pass')
    .argument('<principal>', 'who is asked about, e.g. user.jane or sports.api')
    .argument('<action>', 'what it wants to do, e.g. read')
    .argument('<resource>', 'with what, e.g. sports:articles')
    .option('--context <name>', 'servers and identity by their name (default: the current context)')
    .option('--zms <url>', 'URL of ZMS (default: ZMS in the environment, that of the context, or in athenz.conf)')
    .option('--ca-file <file>', 'authorities that vouch for ZMS')
    .option('--cert-file <file>', 'certificate of who asks')
    .option('--key-file <file>', 'key of that certificate')
    .option('--token-file <file>', 'instead of a certificate: file with a principal token of who asks')
    .option('--trust-domain <name>', 'count only roles that are delegated to this domain, as tenants ask')
    .option('--json', 'print the answer of ZMS as it is')
    .addHelpText(
      'after',
      `
Who asks must be the principal itself, hold "access" on DOMAIN:meta.role.lookup or sys.auth:meta.role.lookup (the
administrators do), or be allowed to update the service that is asked about.

Exit status: 0 = granted, 1 = not granted, 2 = there is no answer.`,
    )
    .action(async (principal: string, action: string, resource: string, options: ExplainOptions) => {
      await runCommand('athenz explain', async () =>
        (await import('./explain-access.ts')).explainAccess({ principal, action, resource }, options, process.env),
      )
    })
}
