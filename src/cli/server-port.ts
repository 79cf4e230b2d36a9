import { once } from 'node:events'
import { createServer } from 'node:net'
import { readProperties } from '#core/config/properties.ts'
import type { ServerKind } from './server-kind.ts'

/** Where a server will listen according to its configuration. */
export interface ConfiguredListener {
  /** 0 when the server does not offer HTTPS. */
  readonly port: number
  /** All addresses when undefined. */
  readonly host: string | undefined
}

/** Reads where a server listens; what is wrong with the configuration is left for the server itself to say. */
export async function configuredListener(
  kind: ServerKind,
  root: string,
  propertiesFiles: readonly string[],
  settings: ReadonlyMap<string, string>,
): Promise<ConfiguredListener> {
  const { entries } = await readProperties({
    files: propertiesFiles,
    overrides: [...settings],
    env: process.env,
    rootDir: root,
  })
  const port = Number(entries.get('athenz.tls_port')?.value ?? kind.defaultPort)
  return { port: Number.isInteger(port) ? port : 0, host: entries.get('athenz.listen_host')?.value.trim() || undefined }
}

/** Whether another process listens on a port, so that no server can. */
export async function isPortTaken(port: number, host?: string): Promise<boolean> {
  try {
    await listenBriefly(port, host)
    return false
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
  }
}

/** A port that nobody listens on at this moment. */
export const freePort = (): Promise<number> => listenBriefly(0)

async function listenBriefly(port: number, host?: string): Promise<number> {
  const server = createServer().listen({ port, host, exclusive: true })
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : port
}
