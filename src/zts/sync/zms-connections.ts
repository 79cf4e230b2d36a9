import { stat } from 'node:fs/promises'
import type { Agent } from 'undici'
import type { ConfigOf } from '#core/config/server-tables.ts'
import type { PrivateKeyStore } from '#core/crypto/private-key-store.ts'
import { SILENCE_MILLIS } from '#core/http/json-client.ts'
import { loadTlsMaterial, readStoreFile, type StoreFile } from '#core/http/tls-material.ts'

/** Files for the connections to ZMS. Both are absent when the authorities that this machine knows vouch for it. */
export interface ZmsTlsFiles {
  /** Client certificate and its private key. */
  readonly identity?: { readonly key: StoreFile; readonly certificate: StoreFile } | undefined
  /** Authorities that vouch for ZMS. */
  readonly trust?: StoreFile | undefined
}

/** How connections are made. */
export interface ZmsConnectionsOptions {
  readonly files: ZmsTlsFiles
  readonly log: (level: 'info' | 'warn', message: string) => void
  /** Time between two looks at the files. */
  readonly lookMillis?: number
}

/** What TLS is given; PEM. */
export interface ClientTls {
  readonly key?: string
  readonly cert?: string
  readonly ca?: string[]
}

const CONNECTIONS = 10
const CONNECT_TIMEOUT_MILLIS = 10_000
const LOOK_MILLIS = 10_000

/**
 * Connections to ZMS, made anew when the files with certificates or authorities change. Files that cannot be used leave
 * the connections as they are, and are tried again when they change once more.
 */
export class ZmsConnections {
  readonly #options: ZmsConnectionsOptions
  #agent: Agent
  #tls: ClientTls
  #state: string
  #lookedAt = performance.now()

  /** Throws Error that names the file that cannot be used. */
  static async open(options: ZmsConnectionsOptions): Promise<ZmsConnections> {
    const state = await stateOf(options.files)
    const tls = await clientTls(options.files)
    return new ZmsConnections(options, tls, await newAgent(tls), state)
  }

  private constructor(options: ZmsConnectionsOptions, tls: ClientTls, agent: Agent, state: string) {
    this.#options = options
    this.#tls = tls
    this.#agent = agent
    this.#state = state
  }

  /** What is in use now. */
  get material(): ClientTls {
    return this.#tls
  }

  /** The connections to use now. */
  async dispatcher(): Promise<Agent> {
    const { lookMillis = LOOK_MILLIS } = this.#options
    if (performance.now() - this.#lookedAt >= lookMillis) {
      this.#lookedAt = performance.now()
      await this.#look()
    }
    return this.#agent
  }

  /** Ends all connections; questions under way fail. */
  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  async #look(): Promise<void> {
    const { files, log } = this.#options
    const state = await stateOf(files)
    if (state === this.#state) return
    this.#state = state
    try {
      const former = this.#agent
      const tls = await clientTls(files)
      this.#agent = await newAgent(tls)
      this.#tls = tls
      void former.close()
      log('info', 'the certificates for connections to ZMS are read again')
    } catch (error) {
      log('warn', `the certificates for connections to ZMS cannot be read again: ${(error as Error).message}`)
    }
  }
}

/**
 * The files that the settings name: for mutual TLS when key, certificate and trust store are all set (`clog.zts_server_…`),
 * otherwise the trust store for other connections of this server (`ssl_trust_store`), if there is one.
 */
export async function zmsTlsFiles({ zts }: ConfigOf['zts'], secrets: PrivateKeyStore): Promise<ZmsTlsFiles> {
  const { clogZtsServerKeyPath: key, clogZtsServerCertPath: certificate, clogZtsServerTrustStorePath: trust } = zts
  if (key !== undefined && certificate !== undefined && trust !== undefined) {
    const password = await secrets.applicationSecret(
      zts.clogZtsServerTrustStorePasswordApp,
      zts.clogZtsServerTrustStorePasswordKeygroup,
      zts.clogZtsServerTrustStorePasswordName,
    )
    return { identity: { key: { file: key }, certificate: { file: certificate } }, trust: { file: trust, password } }
  }
  if (zts.sslTrustStore === undefined) return {}
  const { sslTrustStorePassword: name } = zts
  const password =
    name === undefined
      ? undefined
      : await secrets.applicationSecret(zts.sslTrustStorePasswordAppname, zts.sslTrustStorePasswordKeygroupname, name)
  return { trust: { file: zts.sslTrustStore, ...(password !== undefined && { password }) } }
}

async function newAgent(tls: ClientTls): Promise<Agent> {
  const { Agent: Connections } = await import('undici')
  return new Connections({
    connections: CONNECTIONS,
    // Each question has one time for all of its answer.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: CONNECT_TIMEOUT_MILLIS, keepAliveInitialDelay: SILENCE_MILLIS, ...tls },
  })
}

async function clientTls({ identity, trust }: ZmsTlsFiles): Promise<ClientTls> {
  if (identity) {
    const { key, cert, ca } = await loadTlsMaterial({ ...identity, ...(trust && { trust }) })
    return { key, cert, ...(ca && { ca: [...ca] }) }
  }
  if (!trust) return {}
  const { certificates } = await readStoreFile(trust)
  if (certificates.length === 0) throw new Error(`${trust.file}: there is no certificate`)
  return { ca: certificates.map((certificate) => certificate.toString()) }
}

/** Differs when a file was written or replaced. */
async function stateOf({ identity, trust }: ZmsTlsFiles): Promise<string> {
  const files = [identity?.key, identity?.certificate, trust].flatMap((source) => source?.file ?? [])
  const states = files.map(async (file) => {
    try {
      const { mtimeMs, size, ino } = await stat(file)
      return `${mtimeMs} ${size} ${ino}`
    } catch {
      return ''
    }
  })
  return (await Promise.all(states)).join(';')
}
