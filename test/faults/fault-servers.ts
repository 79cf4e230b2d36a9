import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import type { DevSummary } from '../../src/cli/dev-announcement.ts'
import { propertiesFilesOf } from '../../src/cli/dev-server.ts'
import { DEV_SERVERS } from '../../src/cli/dev-servers.ts'
import { PROJECT_FOLDER, serverLayout } from '../../src/cli/server-kind.ts'
import { freePort } from '../../src/cli/server-port.ts'
import { RUNTIME_OPTIONS, serverEnvironment } from '../../src/cli/server-process.ts'
import { startDevServers } from '../support/dev-servers.ts'
import { until } from '../support/until.ts'

/** A server that faults are tried on. */
export type FaultServerName = 'zms' | 'zts'

/** How one is started. */
export interface StartOptions {
  /** Properties that win over its configuration. */
  readonly settings?: Readonly<Record<string, string | number>>
  /** Processes that share its ports; it is a single one when absent. */
  readonly workers?: number
  /** Program with arguments that runs the server as its last arguments, in its own process. */
  readonly wrapper?: readonly string[]
  /** Modules that are loaded before it. */
  readonly preload?: readonly string[]
  /** Environment variables beside those of this process. */
  readonly env?: Readonly<Record<string, string>>
  /** Does not wait until it listens. */
  readonly immediately?: boolean
}

/** An answer of a server. */
export interface FaultAnswer {
  readonly status: number
  readonly body: unknown
}

const ANSWER_MILLIS = 15_000
const START_MILLIS = 60_000

/** A folder of development servers whose servers are started, and broken, one at a time, always on the same ports. */
export class FaultServers implements AsyncDisposable {
  readonly dir: string
  readonly summary: DevSummary
  readonly ca: Buffer
  readonly cert: Buffer
  readonly key: Buffer
  readonly #ports: Readonly<Record<FaultServerName, { readonly api: number; readonly ops: number }>>
  readonly #agent: Agent
  readonly #running = new Set<RunningFaultServer>()

  private constructor(
    dir: string,
    summary: DevSummary,
    files: Pick<FaultServers, 'ca' | 'cert' | 'key'>,
    [zms, zmsOps, zts, ztsOps]: readonly [number, number, number, number],
  ) {
    this.dir = dir
    this.summary = summary
    this.ca = files.ca
    this.cert = files.cert
    this.key = files.key
    this.#ports = { zms: { api: zms, ops: zmsOps }, zts: { api: zts, ops: ztsOps } }
    this.#agent = new Agent({ keepAlive: false, ...files })
  }

  /** Makes keys, certificates and configuration in an empty folder; nothing runs afterwards. */
  static async make(dir: string, { zts = false, mysqlUrl }: { zts?: boolean; mysqlUrl?: string } = {}) {
    const { summary, program } = await startDevServers({ dir, zts, ...(mysqlUrl !== undefined && { mysqlUrl }) })
    await program[Symbol.asyncDispose]()
    const [ca, cert, key] = await Promise.all(
      [summary.ca, summary.adminCert, summary.adminKey].map((file) => readFile(file)),
    )
    const ports = [await freePort(), await freePort(), await freePort(), await freePort()] as const
    return new FaultServers(dir, summary, { ca, cert, key } as Pick<FaultServers, 'ca' | 'cert' | 'key'>, ports)
  }

  /** Starts a server. */
  async start(name: FaultServerName, options: StartOptions = {}): Promise<RunningFaultServer> {
    const row = DEV_SERVERS.find(({ kind }) => kind.name === name)
    if (row === undefined) throw new Error(name)
    const { api, ops } = this.#ports[name]
    const settings = {
      'athenz.tls_port': api,
      'athenz.ts.ops_port': ops,
      // The roles that clients write to grow beyond what is usual.
      ...(name === 'zms' && { 'athenz.zms.quota_check': 'false' }),
      ...(name === 'zts' && { 'athenz.zts.zms_url': `https://localhost:${this.#ports.zms.api}/` }),
      ...(options.workers !== undefined && { [`athenz.${name}.workers`]: options.workers }),
      ...options.settings,
    }
    const files = propertiesFilesOf({ path: this.dir, file: (path: string) => join(this.dir, path) }, row)
    const [command = '', ...args] = [
      ...(options.wrapper ?? []),
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      ...RUNTIME_OPTIONS,
      ...(options.preload ?? []).flatMap((file) => ['--import', file]),
      join(PROJECT_FOLDER, row.kind.main),
      '--root',
      this.dir,
      '--tied',
      ...files.flatMap((file) => ['--properties', file]),
      ...Object.entries(settings).flatMap(([key, value]) => ['-D', `${key}=${value}`]),
    ]
    const child = spawn(command, args, {
      cwd: this.dir,
      env: { ...serverEnvironment(), ...options.env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    const server = new RunningFaultServer(child, {
      url: `https://localhost:${api}${row.kind.basePath}`,
      port: api,
      opsUrl: `http://127.0.0.1:${ops}`,
      agent: this.#agent,
    })
    this.#running.add(server)
    void server.ended.then(() => this.#running.delete(server))
    if (!options.immediately) await server.listening
    return server
  }

  /** The folder of a server's own files. */
  layout(name: FaultServerName) {
    const row = DEV_SERVERS.find(({ kind }) => kind.name === name)
    if (row === undefined) throw new Error(name)
    return serverLayout(row.kind, this.dir)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy()
    for (const server of this.#running) server.kill('SIGKILL')
    await Promise.all([...this.#running].map(({ ended }) => ended))
  }
}

/** A server that runs, until a fault ends it. */
export class RunningFaultServer {
  readonly process: ChildProcess
  readonly url: string
  readonly port: number
  readonly opsUrl: string
  /** Status and signal of its end. */
  readonly ended: Promise<readonly [status: number | null, signal: NodeJS.Signals | null]>
  readonly #agent: Agent
  #log = ''
  #listens = false

  constructor(
    child: ChildProcess,
    { url, port, opsUrl, agent }: { url: string; port: number; opsUrl: string; agent: Agent },
  ) {
    this.process = child
    this.url = url
    this.port = port
    this.opsUrl = opsUrl
    this.#agent = agent
    this.ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#log += text))
    }
    child.on('message', () => (this.#listens = true))
  }

  get pid(): number {
    return this.process.pid ?? 0
  }

  /** What it has written so far. */
  get log(): string {
    return this.#log
  }

  /** Resolves when it says that it listens; rejects with what it wrote when it ends before. */
  get listening(): Promise<void> {
    return until(
      () => {
        if (this.process.exitCode !== null) throw new Error(`it did not start: ${this.#log}`)
        return this.#listens
      },
      { timeoutMillis: START_MILLIS, what: 'that the server listens' },
    )
  }

  kill(signal: NodeJS.Signals): void {
    this.process.kill(signal)
  }

  /** Sends a request as the administrator, on a connection of its own; rejects when there is no answer. */
  ask(method: string, path: string, body?: object, timeoutMillis = ANSWER_MILLIS): Promise<FaultAnswer> {
    return new Promise((resolve, reject) => {
      const sent = request(`${this.url}${path}`, {
        method,
        agent: this.#agent,
        signal: AbortSignal.timeout(timeoutMillis),
        headers: { 'content-type': 'application/json' },
      })
      sent.once('response', (answer) => {
        let text = ''
        answer.setEncoding('utf8').on('data', (part: string) => (text += part))
        answer.once('error', reject)
        answer.once('end', () =>
          resolve({ status: answer.statusCode ?? 0, body: text === '' ? undefined : (JSON.parse(text) as unknown) }),
        )
      })
      sent.once('error', reject)
      sent.end(body && JSON.stringify(body))
    })
  }

  /** What `/readyz` answers; status 0 when nobody does. */
  async readiness(): Promise<FaultAnswer> {
    try {
      const answer = await fetch(`${this.opsUrl}/readyz`, { signal: AbortSignal.timeout(ANSWER_MILLIS) })
      return { status: answer.status, body: await answer.json() }
    } catch {
      return { status: 0, body: undefined }
    }
  }

  /** Resolves when `/readyz` has this status. */
  async becomes(status: number, timeoutMillis = 30_000): Promise<void> {
    await until(async () => (await this.readiness()).status === status, {
      timeoutMillis,
      what: `status ${status} of /readyz`,
    })
  }

  /** All metrics, on a connection of its own: a kept one may be that to a server which has ended. */
  async metrics(): Promise<string> {
    const answer = await fetch(`${this.opsUrl}/metrics`, { headers: { connection: 'close' } })
    return answer.text()
  }

  /** The value of a metric without labels, or of the one with exactly these. */
  async metric(name: string, labels = ''): Promise<number | undefined> {
    const text = await this.metrics()
    const line = text.split('\n').find((each) => each.startsWith(`${name}${labels} `))
    return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ') + 1))
  }
}
