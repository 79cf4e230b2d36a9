import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { resolve } from 'node:path'
import { readProperties } from '#core/config/properties.ts'
import type { PortRule } from '#core/http/port-rules.ts'
import type { ServerKind } from './server-kind.ts'
import type { StatusTarget } from './server-status.ts'

/** Where a server will listen according to its configuration. */
export interface ConfiguredListener {
  /** 0 when the server does not offer HTTPS, undefined when what stands there is no port. */
  readonly port: number | undefined
  /** All addresses when undefined. */
  readonly host: string | undefined
}

/** Where a server is reached on this machine according to its configuration. */
export interface ConfiguredAddress {
  /** Base of its REST interface. */
  readonly url: string
  /** The same for its status, which may have a port of its own. */
  readonly status: StatusTarget
}

/** What the properties files of a server and the settings that win over them say. */
export interface ConfiguredServer {
  readonly kind: ServerKind
  readonly root: string
  readonly propertiesFiles: readonly string[]
  readonly settings: ReadonlyMap<string, string>
}

/** The text of a property of the container; empty when it is not set. */
type PropertyText = (name: string) => string

const PLAIN_PORT = 4080
/** Who listens there is reached under the name of this machine, too. */
const ALL_ADDRESSES = new Set(['', '0.0.0.0', '::'])

/** Reads where a server listens; what is wrong with the configuration is left for the server itself to say. */
export async function configuredListener(server: ConfiguredServer): Promise<ConfiguredListener> {
  const text = await readTexts(server)
  return { port: portIn(text, 'tls_port', server.kind.defaultPort), host: text('listen_host') || undefined }
}

/** Reads where a server and its status are reached; likewise. */
export async function configuredAddress(server: ConfiguredServer): Promise<ConfiguredAddress> {
  const { kind, root } = server
  const text = await readTexts(server)
  const host = hostOf(text('listen_host'))
  const at = (scheme: 'http' | 'https', port: number) => `${scheme}://${host}:${port}${kind.basePath}`
  const isOn = (name: string) => text(name).toLowerCase() === 'true'
  const proxied = isOn('proxy_protocol') && ({ proxyProtocol: true } as const)
  const needed = { certificateNeeded: true } as const

  const rules = await readRules(root, text('port_uri_config'))
  const [first] = rules
  if (first !== undefined) {
    const open = rules.find(({ serves }) => serves?.('GET', `${kind.basePath}/status`) ?? true) ?? first
    const status = { url: at('https', open.port), ...proxied, ...(open.clientCertificateNeeded && needed) }
    return { url: at('https', first.port), status }
  }
  const tlsPort = portIn(text, 'tls_port', kind.defaultPort) ?? 0
  const plainPort = portIn(text, 'port', PLAIN_PORT) ?? 0
  const statusPort = portIn(text, 'status_port', 0) ?? 0
  const scheme = tlsPort > 0 ? 'https' : 'http'
  const url = at(scheme, tlsPort || plainPort)
  const hasStatusPort = statusPort > 0 && statusPort !== tlsPort && statusPort !== plainPort
  const status = {
    url: hasStatusPort ? at(scheme, statusPort) : url,
    ...proxied,
    ...(tlsPort > 0 && isOn('ssl_need_client_auth') && needed),
  }
  return { url, status }
}

async function readTexts({ root, propertiesFiles, settings }: ConfiguredServer): Promise<PropertyText> {
  const { entries } = await readProperties({
    files: propertiesFiles,
    overrides: [...settings],
    env: process.env,
    rootDir: root,
  })
  return (name) => entries.get(`athenz.${name}`)?.value.trim() ?? ''
}

function portIn(text: PropertyText, name: string, initial: number): number | undefined {
  const port = Number(text(name) || initial)
  return Number.isInteger(port) && port <= 65_535 ? Math.max(port, 0) : undefined
}

function hostOf(listenHost: string): string {
  if (ALL_ADDRESSES.has(listenHost)) return 'localhost'
  return listenHost.includes(':') ? `[${listenHost}]` : listenHost
}

async function readRules(root: string, file: string): Promise<readonly PortRule[]> {
  if (file === '') return []
  // Few have such a file.
  const { readPortRules } = await import('#core/http/port-rules.ts')
  try {
    return readPortRules(await readFile(resolve(root, file), 'utf8'))
  } catch {
    return []
  }
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
