import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { messageOf } from '#core/error/message-of.ts'
import { ProcessReport } from '#core/http/ops-report.ts'
import { OpsServer } from '#core/http/ops-server.ts'
import { silentLogger } from '#core/log/logger.ts'
import { type FileLock, nodeFileSystem } from '#core/seam/file-system.ts'
import type { Renewable } from '#sia/agent.ts'
import { type OpenedAgent, openAgent } from '#sia/open-agent.ts'
import { readSiaConfig, type SiaConfig } from '#sia/sia-config.ts'
import { CommandFailure, reasonOf } from './command-failure.ts'
import { PROJECT_FOLDER } from './server-kind.ts'
import type { SiaArguments } from './sia.ts'

/** Exit status of an agent that cannot begin. */
const UNUSABLE = 2
const DAY_MILLIS = 86_400_000

/**
 * Runs the agent until it is told to end, or once. Gives the exit status: 0 when all is well, 1 when something could not be
 * renewed, is missing or has ended. Throws a CommandFailure of status 2 when the agent cannot begin.
 */
export async function sia(given: SiaArguments): Promise<number> {
  const config = await configOf(given)
  const opened = openAgent({
    config,
    version: await versionOf(),
    log,
    wait: (millis, signal) => pause(millis, undefined, { signal }),
  })
  if (given.check) return check(opened.items, given.json ?? false)
  const lock = await lockFolder(config.folder)
  try {
    if (!given.once) return await runUntilSignal(config, opened)
    const { failed } = await opened.agent.pass({ force: given.renew ?? false })
    return failed.length === 0 ? 0 : 1
  } finally {
    lock.release()
  }
}

async function configOf(given: SiaArguments): Promise<SiaConfig> {
  const { config, once: _once, renew: _renew, check: _check, json: _json, keyFile, keyId, ...overrides } = given
  const key = keyFile !== undefined && { registeredKey: { file: keyFile, id: keyId } }
  try {
    return await readSiaConfig(config, { ...overrides, ...key })
  } catch (error) {
    throw new CommandFailure(messageOf(error), UNUSABLE)
  }
}

async function versionOf(): Promise<string> {
  const { version } = JSON.parse(await readFile(join(PROJECT_FOLDER, 'package.json'), 'utf8')) as { version: string }
  return version
}

async function lockFolder(folder: string): Promise<FileLock> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o755 })
    const lock = await nodeFileSystem.lock(join(folder, '.sia.lock'))
    if (lock) return lock
  } catch (error) {
    throw new CommandFailure(`${folder} cannot be used: ${reasonOf(error)}`, UNUSABLE)
  }
  throw new CommandFailure(`another agent works in ${folder}`, UNUSABLE)
}

async function runUntilSignal(config: SiaConfig, { agent, metrics }: OpenedAgent): Promise<number> {
  const stopping = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.abort())
  const server = await openMetrics(config, metrics, stopping.signal)
  try {
    await agent.run(stopping.signal)
  } finally {
    await server?.close()
  }
  return 0
}

async function openMetrics({ metricsPort: port }: SiaConfig, metrics: OpenedAgent['metrics'], stopping: AbortSignal) {
  if (port === undefined) return undefined
  const certificate = () => {
    const problem = metrics.problem(Date.now())
    if (problem !== undefined) throw new Error(problem)
  }
  const { registry } = metrics
  const server = new OpsServer({
    port,
    report: new ProcessReport({ registry, checks: new Map([['certificate', certificate]]), stopping }),
    log: silentLogger(),
  })
  try {
    const address = await server.listen()
    log('info', `metrics are at http://127.0.0.1:${address.port}/metrics`)
    return server
  } catch (error) {
    throw new CommandFailure(`port ${port} cannot be used for metrics: ${messageOf(error)}`, UNUSABLE)
  }
}

async function check(items: readonly Renewable[], asJson: boolean): Promise<number> {
  const now = Date.now()
  const states = await Promise.all(
    items.map(async (item) => {
      const { kind, name } = item
      const validity = await item.validity().catch((error: unknown) => {
        log('error', `${kind} ${name} cannot be read: ${messageOf(error)}`)
        return undefined
      })
      const until = validity?.untilMillis
      const daysLeft = until === undefined ? 0 : (until - now) / DAY_MILLIS
      return { kind, name, until: until === undefined ? null : new Date(until).toISOString(), daysLeft }
    }),
  )
  if (asJson) console.log(JSON.stringify(states))
  for (const { kind, name, until, daysLeft } of asJson ? [] : states) {
    console.log(
      until === null ? `${kind} ${name}: missing` : `${kind} ${name}: ${daysLeft.toFixed(2)} days left, until ${until}`,
    )
  }
  return states.every(({ daysLeft }) => daysLeft > 0) ? 0 : 1
}

/** One line for the journal of the machine. */
function log(level: 'info' | 'warn' | 'error', message: string): void {
  console.error(`${new Date().toISOString()} ${level} ${message}`)
}
