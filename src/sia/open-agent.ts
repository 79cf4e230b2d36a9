import { ZtsClient } from '#client/zts-client.ts'
import { messageOf } from '#core/error/message-of.ts'
import { systemWait, type Wait } from '#core/main/periodic-job.ts'
import { type Clock, systemClock } from '#core/seam/clock.ts'
import { AccessTokenFile } from './access-token-file.ts'
import { type Pass, type Renewable, SiaAgent } from './agent.ts'
import { writeAtomically } from './atomic-file.ts'
import { CertificatePair } from './certificate-pair.ts'
import { RoleCertificate } from './role-certificate.ts'
import { runCommand } from './run-command.ts'
import { type ItemContext, ServiceCertificate } from './service-certificate.ts'
import type { SiaConfig } from './sia-config.ts'
import { SiaMetrics } from './sia-metrics.ts'

/** What the agent takes from its process. */
export interface OpenAgentOptions {
  readonly config: SiaConfig
  /** Of the program, for the access log of ZTS. */
  readonly version: string
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
  /** For tests. */
  readonly clock?: Clock
  readonly wait?: Wait
  readonly random?: () => number
}

/** An agent with all that it keeps. */
export interface OpenedAgent {
  readonly agent: SiaAgent
  readonly items: readonly Renewable[]
  readonly metrics: SiaMetrics
}

const METRICS_ACCESS = { mode: 0o644 }
/** ZTS that does not answer must not hold the other items up for long. */
const READ_TIMEOUT_MILLIS = 30_000

/** Puts the agent together by its configuration. */
export function openAgent(options: OpenAgentOptions): OpenedAgent {
  const { config, log, clock = systemClock, wait = systemWait, random = Math.random } = options
  const context: ItemContext = {
    config,
    log,
    pair: new CertificatePair(config.folder, `${config.domain}.${config.service}`, config),
    withZts: async (identity, work) => {
      await using zts = new ZtsClient({
        url: config.zts,
        ...(config.caFile !== undefined && { caFile: config.caFile }),
        ...(identity && { identity }),
        readTimeoutMillis: READ_TIMEOUT_MILLIS,
        accessTokenFolder: false,
        // ZTS notes who renews from this name.
        headers: { 'user-agent': `SIA-${config.provider ?? 'athenz'} ${options.version}` },
      })
      return await work(zts)
    },
  }
  const service = new ServiceCertificate(context)
  const items = [
    service,
    ...(service.sshHost ? [service.sshHost] : []),
    ...config.roleCertificates.map((wanted) => new RoleCertificate(context, wanted)),
    ...config.accessTokens.map((wanted) => new AccessTokenFile(context, wanted)),
  ]
  const metrics = new SiaMetrics(clock)
  const onPass = async (pass: Pass): Promise<void> => {
    metrics.note(pass)
    if (config.metricsFile !== undefined) await writeMetrics(config.metricsFile, metrics, log)
    if (pass.renewed.length > 0) await runHooks(config, log)
  }
  return { agent: new SiaAgent({ items, clock, wait, random, log, onPass }), items, metrics }
}

async function writeMetrics(file: string, { registry }: SiaMetrics, log: OpenAgentOptions['log']): Promise<void> {
  try {
    await writeAtomically(file, await registry.metrics(), METRICS_ACCESS)
  } catch (error) {
    log('warn', `the metrics are not written: ${messageOf(error)}`)
  }
}

async function runHooks(
  { afterRenewal, commandTimeoutSeconds }: SiaConfig,
  log: OpenAgentOptions['log'],
): Promise<void> {
  for (const words of afterRenewal) {
    try {
      await runCommand(words, commandTimeoutSeconds)
      log('info', `${words.join(' ')} was run`)
    } catch (error) {
      log('error', messageOf(error))
    }
  }
}
