import { Command, InvalidArgumentError } from 'commander'
import { runCommand } from './command-failure.ts'

/** What the command line gives. */
export interface SiaArguments {
  readonly config?: string
  readonly once?: boolean
  readonly renew?: boolean
  readonly check?: boolean
  readonly json?: boolean
  readonly zts?: string
  readonly caFile?: string
  readonly domain?: string
  readonly service?: string
  readonly dnsDomain?: string
  readonly folder?: string
  readonly provider?: string
  readonly instanceId?: string
  readonly attestationFile?: string
  readonly keyFile?: string
  readonly keyId?: string
  readonly metricsFile?: string
  readonly metricsPort?: number
}

/** The command `athenz sia`: the agent that gets and renews certificates and tokens of a service. */
export function siaCommand(): Command {
  return new Command('sia')
    .description('get certificates and tokens for a service and keep them renewed')
    .option('--config <file>', 'configuration, a JSON file; the options below win over it')
    .option('--once', 'renew what is due, then end; exit status 1 = something could not be renewed')
    .option('--renew', 'with --once: renew everything, due or not')
    .option('--check', 'say how long everything is good; exit status 1 = something is missing or has ended')
    .option('--json', 'with --check: as JSON')
    .option('--zts <url>', 'URL of ZTS')
    .option('--ca-file <file>', 'authorities that vouch for ZTS')
    .option('--domain <name>', 'domain of the service')
    .option('--service <name>', 'local name of the service')
    .option('--dns-domain <suffix>', 'end of the DNS names in certificates')
    .option('--folder <folder>', 'where keys, certificates and tokens go (default: /var/lib/sia)')
    .option('--provider <service>', 'who vouches for this instance, e.g. sys.auth.zts')
    .option('--instance-id <id>', 'id of this instance')
    .option('--attestation-file <file>', 'what the provider knows this instance by, e.g. a register token')
    .option('--key-file <file>', 'instead of an instance: private key that is registered for the service')
    .option('--key-id <id>', 'id under which it is registered')
    .option('--metrics-file <file>', 'where metrics are written as text of Prometheus')
    .option('--metrics-port <port>', 'port of 127.0.0.1 with /metrics, /readyz and /livez', parsePort)
    .action(async (given: SiaArguments) => {
      await runCommand('athenz sia', async () => (await import('./sia-agent.ts')).sia(given))
    })
}

function parsePort(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
    throw new InvalidArgumentError('Write a number from 0 to 65535.')
  return Number(text)
}
