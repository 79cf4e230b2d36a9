import cluster from 'node:cluster'
import type { AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { ConfigError } from '../config/config-error.ts'
import { type LoadedConfig, loadServerConfig } from '../config/server-config.ts'
import type { ConfigOf, ServerName } from '../config/server-tables.ts'
import { messageOf } from '../error/message-of.ts'
import { listenProblem } from '../http/listen-problem.ts'
import { type Logger, openLogger } from '../log/logger.ts'
import { portOf } from '../workers/message-port.ts'
import { workerCount } from '../workers/worker-count.ts'
import { WorkerFailure } from '../workers/worker-group.ts'
import { WorkerSeat } from '../workers/worker-seat.ts'
import { runWorkers, type WorkersProgram } from './run-workers.ts'

const USAGE = 'usage: main.ts --root DIR [--tied] [--properties FILE]... [-D KEY=VALUE]...'

/** A server that listens. */
export interface RunningServer {
  /** Addresses of the API ports: TLS first, then plain HTTP, then the status port, as far as they are on. */
  readonly addresses: readonly AddressInfo[]
  /** Resolves when the server cannot go on; it is to be closed then. */
  readonly failed?: Promise<Error>
  /** Finishes requests in flight and closes everything that was opened. */
  close(): Promise<void>
}

/** One of the servers as a program. */
export interface ServerProgram<S extends ServerName> {
  readonly name: S
  /** Path of its REST interface. */
  readonly apiRoot: string
  /** Throws ConfigError or Error that says what is wrong. `seat`: its place, when the server has several processes. */
  start(loaded: LoadedConfig<ConfigOf[S]>, log: Logger, seat?: WorkerSeat): Promise<RunningServer>
  /** How it runs in several processes, if it can. */
  readonly workers?: WorkersProgram<S>
}

/**
 * Runs a server until it is asked to stop (SIGINT, SIGTERM, or the end of a parent it is tied to), then ends the process.
 * Where it listens is told to a parent over the channel between them. A start that fails is told on standard error, a
 * line for each reason, and the process ends with status 1. With workers this is the primary process, and each of them.
 */
export async function runServer<S extends ServerName>(program: ServerProgram<S>): Promise<void> {
  if (cluster.isWorker) return runWorker(program)
  try {
    await start(program)
  } catch (error) {
    for (const reason of reasonsOf(error)) process.stderr.write(`${program.name}: ${reason}\n`)
    process.exit(1)
  }
}

function reasonsOf(error: unknown): readonly string[] {
  if (error instanceof ConfigError) return error.problems
  if (error instanceof WorkerFailure) return [error.message, ...error.reasons]
  return [listenProblem(error) ?? messageOf(error)]
}

const endAtOnce = (status: 0 | 1): void => process.exit(status)

/** Runs a worker until the primary process, or a signal, asks it to stop; a start that fails is told to that process. */
async function runWorker<S extends ServerName>(program: ServerProgram<S>): Promise<void> {
  const seat = await WorkerSeat.take(portOf(process))
  // Before it listens nobody has sent it anything.
  let stop: (status: 0 | 1) => void = endAtOnce
  if (seat.stopping.aborted) stop(0)
  seat.stopping.addEventListener('abort', () => stop(0), { once: true })
  process.on('SIGTERM', () => stop(0))
  process.on('SIGINT', () => stop(0))
  try {
    const { loaded, log } = await load(program, { server: program.name, worker: seat.number })
    const server = await program.start(loaded, log, seat)
    stop = stopOnce(server, log, `worker ${seat.number}`)
    seat.listens(server.addresses)
  } catch (error) {
    await seat.failed(reasonsOf(error))
    process.exit(1)
  }
}

/** Reads the configuration that the arguments name, and opens the log. */
async function load<S extends ServerName>({ name }: ServerProgram<S>, logged: Readonly<Record<string, unknown>>) {
  const { root, tied, files, overrides } = readArguments()
  const loaded = await loadServerConfig({
    server: name,
    rootDir: root,
    ...(files.length > 0 && { files }),
    overrides,
    env: process.env,
    hostname: hostname(),
  })
  const { ts } = loaded.config
  const log = openLogger({ level: ts.logLevel, ...(ts.logFile && { file: ts.logFile }), base: logged })
  return { loaded, log, tied }
}

async function start<S extends ServerName>(program: ServerProgram<S>): Promise<void> {
  const { name, apiRoot, workers } = program
  const title = name.toUpperCase()
  const { loaded, log, tied } = await load(program, { server: name })
  for (const warning of loaded.warnings) log.warn(warning)
  const { container } = loaded.config
  const count = workers ? workerCount(workers.count(loaded.config)) : 0
  const server = workers && count > 0 ? await runWorkers(workers, count, loaded, log) : await program.start(loaded, log)
  const { port } = server.addresses[0] ?? { port: container.tlsPort }
  // Ports that a file names speak TLS, whatever the properties say.
  const scheme = container.tlsPort === 0 && port === container.port ? 'http' : 'https'
  const url = `${scheme}://localhost:${port}${apiRoot}`
  log.info({ port, url }, `${title} listens`)
  process.send?.({ type: 'ready', [name]: url, port })
  const stop = stopOnce(server, log, title)
  process.on('SIGTERM', () => stop(0))
  process.on('SIGINT', () => stop(0))
  const giveUp = (error: Error) => {
    log.fatal({ err: error }, `${title} cannot go on`)
    for (const reason of reasonsOf(error)) process.stderr.write(`${name}: ${reason}\n`)
    stop(1)
  }
  void server.failed?.then(giveUp)
  if (!tied) return
  // A parent that was killed could not say that its server is to stop; the channel to it says so.
  process.on('disconnect', () => stop(0))
  if (!process.connected) stop(0)
}

/** Closes the server when it is first called, and ends the process then. */
function stopOnce(server: RunningServer, log: Logger, title: string): (status: 0 | 1) => void {
  let stopping = false
  return (status) => {
    if (stopping) return
    stopping = true
    log.info(`${title} stops`)
    server.close().then(
      () => process.exit(status),
      (error: unknown) => {
        log.error({ err: error }, `${title} did not stop as it should`)
        process.exit(1)
      },
    )
  }
}

function readArguments(): { root: string; tied: boolean; files: string[]; overrides: [string, string][] } {
  const { values } = parseArgs({
    options: {
      root: { type: 'string' },
      tied: { type: 'boolean', default: false },
      properties: { type: 'string', multiple: true },
      define: { type: 'string', short: 'D', multiple: true },
    },
  })
  if (values.root === undefined) throw new Error(USAGE)
  const overrides = (values.define ?? []).map((setting): [string, string] => {
    const at = setting.indexOf('=')
    if (at <= 0) throw new Error(`-D ${setting}: not KEY=VALUE; ${USAGE}`)
    return [setting.slice(0, at), setting.slice(at + 1)]
  })
  return {
    root: resolve(values.root),
    tied: values.tied,
    files: (values.properties ?? []).map((file) => resolve(file)),
    overrides,
  }
}
