import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { ConfigError } from '#core/config/config-error.ts'
import { loadServerConfig } from '#core/config/server-config.ts'
import { openLogger } from '#core/log/logger.ts'
import { ZMS_API_ROOT } from './api/index.ts'
import { startZms } from './zms-server.ts'

const USAGE = 'usage: main.ts --root DIR [--tied] [--properties FILE]... [-D KEY=VALUE]...'

try {
  await main()
} catch (error) {
  const lines = error instanceof ConfigError ? error.problems : [error instanceof Error ? error.message : String(error)]
  for (const line of lines) process.stderr.write(`zms: ${line}\n`)
  process.exit(1)
}

async function main(): Promise<void> {
  const { root, tied, files, overrides } = readArguments()
  const options = {
    rootDir: root,
    ...(files.length > 0 && { files }),
    overrides,
    env: process.env,
    hostname: hostname(),
  }
  const loaded = await loadServerConfig({ server: 'zms', ...options })
  const { ts, container } = loaded.config
  const log = openLogger({ level: ts.logLevel, ...(ts.logFile && { file: ts.logFile }), base: { server: 'zms' } })
  for (const warning of loaded.warnings) log.warn(warning)
  const zms = await startZms(loaded, log)
  const { port } = zms.addresses[0] ?? { port: container.tlsPort }
  const scheme = container.tlsPort > 0 ? 'https' : 'http'
  const url = `${scheme}://localhost:${port}${ZMS_API_ROOT}`
  log.info({ port, url }, 'ZMS listens')
  process.send?.({ type: 'ready', zms: url, port })
  let stopping = false
  const stop = () => {
    if (stopping) return
    stopping = true
    log.info('ZMS stops')
    zms.close().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, 'ZMS did not stop as it should')
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
