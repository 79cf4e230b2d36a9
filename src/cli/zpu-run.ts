import { access, mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readAthenzConf } from '#core/config/athenz-conf.ts'
import { messageOf } from '#core/error/message-of.ts'
import { ProcessReport } from '#core/http/ops-report.ts'
import { OpsServer } from '#core/http/ops-server.ts'
import { silentLogger } from '#core/log/logger.ts'
import type { Wait } from '#core/main/periodic-job.ts'
import type { Clock } from '#core/seam/clock.ts'
import type { ZpeLog } from '#zpe/policy-folder.ts'
import { type OpenedUpdater, openUpdater } from '#zpu/open-updater.ts'
import { checkPolicyFiles, policyView, statusReport } from '#zpu/policy-checks.ts'
import { readPolicyFile } from '#zpu/policy-file.ts'
import { watchPolicies } from '#zpu/policy-watch.ts'
import { RotatingLog } from '#zpu/rotating-log.ts'
import { readZpuConfig, type ZpuConfig } from '#zpu/zpu-config.ts'
import { ZpuMetrics } from '#zpu/zpu-metrics.ts'
import { CommandFailure, reasonOf } from './command-failure.ts'
import { type FlagValues, text, toggle, wholeNumber } from './tools/flags.ts'
import { proxyFor } from './tools/http-proxy.ts'

/** The flags of the original's tool, and, from `daemon` on, those of ours. `root` is the base of default paths. */
export const ZPU_FLAGS = (root: string) => ({
  athenzConf: text('athenz.conf with URLs and public keys of ZMS and ZTS', join(root, 'conf', 'athenz', 'athenz.conf')),
  zpuConf: text('configuration of the updater', join(root, 'conf', 'zpu', 'zpu.conf')),
  logFile: text('log', join(root, 'logs', 'zpu', 'zpu.log')),
  zts: text('URL of ZTS; that in athenz.conf unless given'),
  cacert: text('authorities that vouch for ZTS'),
  'private-key': text('private key of the caller'),
  'cert-file': text('certificate of the caller'),
  'force-refresh': toggle('fetch all policies, whatever is there'),
  'check-status': toggle('say whether all policy files are good; exit status 1 = they are not'),
  'check-details': toggle('say how each policy file is; exit status 1 = one is not good'),
  'view-domain': text('print the policies in the file of this domain'),
  'sia-dir': text('folder of an agent with further public keys', '/var/lib/sia'),
  debug: toggle('log more'),
  daemon: toggle('stay, and bring changes as ZTS tells of them'),
  interval: wholeNumber('with -daemon: seconds between two questions where ZTS does not wait for changes', 60),
  'metrics-port': wholeNumber('with -daemon: port of 127.0.0.1 with /metrics, /readyz and /livez'),
})

/** What the flags say. */
export type ZpuFlags = FlagValues<ReturnType<typeof ZPU_FLAGS>>

/** What the updater takes from its process. */
export interface ZpuMachine {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly print: (text: string) => void
  readonly complain: (line: string) => void
  readonly wait: Wait
  readonly random: () => number
  readonly clock: Clock
  /** Ends a daemon, and the pause before the start. */
  readonly stopping: AbortSignal
}

const ROOT = '/home/athenz'
const STARTUP_DELAY_MAX_MINUTES = 1440
const MINUTE_MILLIS = 60_000

/**
 * Brings policy files up to date, follows them, or tells how they are. Gives the exit status: 0 when all is well, 1 when it
 * is not for any domain. Throws a CommandFailure of status 1 when it cannot begin.
 */
export async function zpu(flags: ZpuFlags, machine: ZpuMachine): Promise<number> {
  const config = await configOf(flags, machine)
  const ztsUrl = await ztsUrlOf(flags)
  const file = await openLog(flags, config, machine)
  const log: ZpeLog = (level, message) => {
    if (level !== 'info' || flags.debug) file.write(message)
  }
  const run: Run = { flags, config, machine, file, metrics: new ZpuMetrics(machine.clock) }
  try {
    const proxyUrl = config.proxy ? proxyFor(ztsUrl, machine.env) : undefined
    const { athenzConf, 'sia-dir': siaFolder } = flags
    await using opened = await openUpdater({
      config,
      athenzConf,
      siaFolder,
      ztsUrl,
      proxyUrl,
      log,
      clock: machine.clock,
    })
    return await work(run, opened)
  } catch (error) {
    file.write(`Policy updater failed, ${messageOf(error)}`)
    throw new CommandFailure(messageOf(error))
  } finally {
    await file.close()
  }
}

interface Run {
  readonly flags: ZpuFlags
  readonly config: ZpuConfig
  readonly machine: ZpuMachine
  readonly file: RotatingLog
  readonly metrics: ZpuMetrics
}

async function work(run: Run, opened: OpenedUpdater): Promise<number> {
  const { flags, config } = run
  if (flags['check-status'] || flags['check-details']) return check(run, opened)
  if (flags['view-domain'] !== '') return view(run, opened)
  if (config.domains.length === 0) throw new Error('no domain list to process from configuration')
  await startupDelay(run)
  return flags.daemon ? follow(run, opened) : updateOnce(run, opened)
}

async function configOf(flags: ZpuFlags, { env }: ZpuMachine): Promise<ZpuConfig> {
  const read = await readZpuConfig(flags.zpuConf, env['ROOT'] || ROOT).catch((error: unknown) => {
    throw new CommandFailure(messageOf(error))
  })
  const config = {
    ...read,
    privateKeyFile: flags['private-key'] || read.privateKeyFile,
    certificateFile: flags['cert-file'] || read.certificateFile,
    authoritiesFile: flags.cacert || read.authoritiesFile,
  }
  const { privateKeyFile: key, certificateFile: certificate } = config
  if ((key === undefined) === (certificate === undefined)) return config
  const missing = key === undefined ? 'private key' : 'cert'
  throw new CommandFailure(`both private key and cert file are required, missing ${missing} file`)
}

async function ztsUrlOf({ zts, athenzConf }: ZpuFlags): Promise<string> {
  const url = await readAthenzConf(athenzConf, { keys: 'optional' }).then(
    (conf) => zts || conf.ztsUrl,
    (error: unknown) => {
      throw new CommandFailure(messageOf(error))
    },
  )
  if (url === undefined) throw new CommandFailure(`the URL of ZTS is neither given with -zts nor in ${athenzConf}`)
  return url
}

async function openLog({ logFile }: ZpuFlags, { log }: ZpuConfig, { clock }: ZpuMachine): Promise<RotatingLog> {
  return RotatingLog.open(logFile, log, clock).catch((error: unknown) => {
    throw new CommandFailure(
      `the log ${logFile} cannot be written (choose another one with -logFile): ${reasonOf(error)}`,
    )
  })
}

/** So that many machines which start at the same minute do not ask at the same time. */
async function startupDelay({ machine: { env, wait, random, stopping }, file }: Run): Promise<void> {
  const minutes = Math.min(Number(env['STARTUP_DELAY'] ?? 0) || 0, STARTUP_DELAY_MAX_MINUTES)
  if (minutes <= 0) {
    file.write('Launching zpe_policy_updater without delay')
    return
  }
  const millis = Math.floor(random() * minutes * MINUTE_MILLIS)
  file.write(`Launching zpe_policy_updater in ${Math.round(millis / 1000)} seconds`)
  // Being told to end ends the wait early.
  await wait(millis, stopping).catch(() => {})
}

async function updateOnce(run: Run, { updater }: OpenedUpdater): Promise<number> {
  const { config, flags, machine, file, metrics } = run
  const failed: string[] = []
  for (const domain of config.domains) {
    if (machine.stopping.aborted) return 1
    file.write(`Getting policies for domain: ${domain}`)
    try {
      const { written, policies } = await updater.update(domain, {
        force: flags['force-refresh'],
        signal: machine.stopping,
      })
      metrics.confirmed(domain, policies, written ? 'written' : 'unchanged')
      file.write(updateText(domain, written))
    } catch (error) {
      failed.push(domain)
      noteFailure(run, domain, messageOf(error))
    }
  }
  await writeMetrics(run)
  if (failed.length === 0) file.write('Policy updater finished successfully')
  else file.write(`Policy updater failed, failed to get policies for domains: ${failed.join(', ')}`)
  return failed.length === 0 ? 0 : 1
}

async function follow(run: Run, { updater }: OpenedUpdater): Promise<number> {
  const { config, flags, machine, file, metrics } = run
  const { domains } = config
  const server = await openMetrics(run)
  try {
    await watchPolicies(
      {
        updater,
        domains,
        intervalMillis: Math.max(1, flags.interval) * 1000,
        async onUpdate(domain, { written, policies }) {
          metrics.confirmed(domain, policies, written ? 'written' : 'unchanged')
          if (written || flags.debug) file.write(updateText(domain, written))
          await writeMetrics(run)
        },
        async onFailure(domain, message) {
          noteFailure(run, domain, message)
          await writeMetrics(run)
        },
        wait: machine.wait,
        random: machine.random,
      },
      machine.stopping,
    )
  } finally {
    await server?.close()
  }
  file.write('Policy updater stopped')
  return 0
}

const updateText = (domain: string, written: boolean): string =>
  written
    ? `Policies for domain: ${domain} successfully written`
    : `Policies not updated since last fetch for domain: ${domain}`

function noteFailure({ file, machine, metrics }: Run, domain: string, message: string): void {
  const line = `failed to get policies for domain: ${domain}, Error: ${message}`
  metrics.failed(domain)
  file.write(line)
  machine.complain(`zpu: ${line}`)
}

async function check({ flags, config, machine }: Run, { verification }: OpenedUpdater): Promise<number> {
  const checks = await checkPolicyFiles(config, verification, machine.clock)
  const report = statusReport(checks)
  machine.print(JSON.stringify(flags['check-status'] ? report : checks.map(({ details }) => details)))
  return report.status_code
}

async function view({ flags, config, machine }: Run, { verification }: OpenedUpdater): Promise<number> {
  const domain = flags['view-domain']
  try {
    const policies = await readPolicyFile(config, domain, verification)
    if (policies === undefined) throw new Error('domain policy file does not exist')
    machine.print(JSON.stringify(policyView(policies), undefined, 2))
    return 0
  } catch (error) {
    throw new Error(`Unable to view policy file for domain ${domain}, ${messageOf(error)}`, { cause: error })
  }
}

/** For collectors that read files; nothing depends on it. */
async function writeMetrics({ config: { metricsFolder }, metrics, flags, file }: Run): Promise<void> {
  const target = join(metricsFolder, 'zpu.prom')
  try {
    await mkdir(metricsFolder, { recursive: true })
    await writeFile(`${target}.tmp`, await metrics.registry.metrics())
    await rename(`${target}.tmp`, target)
  } catch (error) {
    if (flags.debug) file.write(`the metrics are not written: ${messageOf(error)}`)
  }
}

async function openMetrics({ flags, config, machine, metrics, file }: Run): Promise<OpsServer | undefined> {
  const port = flags['metrics-port']
  if (port === 0) return undefined
  const policies = async () => {
    const missing = metrics.missing(config.domains)
    if (missing.length > 0) throw new Error(`no policies yet of ${missing.join(', ')}`)
    await access(config.policyFolder)
  }
  const server = new OpsServer({
    port,
    report: new ProcessReport({
      registry: metrics.registry,
      checks: new Map([['policies', policies]]),
      stopping: machine.stopping,
    }),
    log: silentLogger(),
  })
  try {
    const address = await server.listen()
    file.write(`metrics are at http://127.0.0.1:${address.port}/metrics`)
    return server
  } catch (error) {
    throw new Error(`port ${port} cannot be used for metrics: ${messageOf(error)}`, { cause: error })
  }
}
