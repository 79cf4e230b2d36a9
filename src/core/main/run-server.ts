import type { AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { ConfigError } from '../config/config-error.ts'
import { type LoadedConfig, loadServerConfig } from '../config/server-config.ts'
import type { ConfigOf, ServerName } from '../config/server-tables.ts'
import { messageOf } from '../error/message-of.ts'
import { type Logger, openLogger } from '../log/logger.ts'

const USAGE = 'usage: main.ts --root DIR [--tied] [--properties FILE]... [-D KEY=VALUE]...'

/** A server that listens. */
export interface RunningServer {
  /** Addresses of the API ports: TLS first, then plain HTTP, then the status port, as far as they are on. */
  readonly addresses: readonly AddressInfo[]
  /** Finishes requests in flight and closes everything that was opened. */
  close(): Promise<void>
}

/** One of the servers as a program. */
export interface ServerProgram<S extends ServerName> {
  readonly name: S
  /** Path of its REST interface. */
  readonly apiRoot: string
  /** Throws ConfigError or Error that says what is wrong. */
  start(loaded: LoadedConfig<ConfigOf[S]>, log: Logger): Promise<RunningServer>
}

/**
 * Runs a server until it is asked to stop (SIGINT, SIGTERM, or the end of a parent it is tied to), then ends the process.
 * Where it listens is told to a parent over the channel between them. A start that fails is told on standard error, a
 * line for each reason, and the process ends with status 1.
 */
export async function runServer<S extends ServerName>(program: ServerProgram<S>): Promise<void> {
  try {
    await start(program)
  } catch (error) {
    const reasons = error instanceof ConfigError ? error.problems : [messageOf(error)]
    for (const reason of reasons) process.stderr.write(`${program.name}: ${reason}\n`)
    process.exit(1)
  }
}

async function start<S extends ServerName>(program: ServerProgram<S>): Promise<void> {
  const { name, apiRoot } = program
  const title = name.toUpperCase()
  const { root, tied, files, overrides } = readArguments()
  const loaded = await loadServerConfig({
    server: name,
    rootDir: root,
    ...(files.length > 0 && { files }),
    overrides,
    env: process.env,
    hostname: hostname(),
  })
  const { ts, container } = loaded.config
  const log = openLogger({ level: ts.logLevel, ...(ts.logFile && { file: ts.logFile }), base: { server: name } })
  for (const warning of loaded.warnings) log.warn(warning)
  const server = await program.start(loaded, log)
  const { port } = server.addresses[0] ?? { port: container.tlsPort }
  const scheme = container.tlsPort > 0 ? 'https' : 'http'
  const url = `${scheme}://localhost:${port}${apiRoot}`
  log.info({ port, url }, `${title} listens`)
  process.send?.({ type: 'ready', [name]: url, port })
  let stopping = false
  const stop = () => {
    if (stopping) return
    stopping = true
    log.info(`${title} stops`)
    server.close().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, `${title} did not stop as it should`)
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  if (!tied) return
  // A parent that was killed could not say that its server is to stop; the channel to it says so.
  process.on('disconnect', stop)
  if (!process.connected) stop()
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
