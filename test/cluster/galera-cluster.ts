import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, mkdir, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type Connection, createConnection } from 'mysql2/promise'
import { until } from '../support/until.ts'
import type { ClusterNetwork } from './cluster-network.ts'

const run = promisify(execFile)

/** What a cluster is made of. */
export interface GaleraOptions {
  readonly network: ClusterNetwork
  readonly nodes: number
  /** Holds the data of all nodes. */
  readonly folder: string
  readonly provider: string
  /** Nodes that do not answer are left out after so many milliseconds; Galera's own settings when absent. */
  readonly suspectMillis?: number
}

/** What nodes are reached by. */
export const DATABASE_USER = 'athenz'
export const DATABASE_PORT = 3306

/** Not root: the program that sends data to a new node would become somebody else on the way. */
const SYSTEM_USER = 'nobody'

const READY_MILLIS = 120_000

/** A server of the cluster. */
export class GaleraNode {
  readonly number: number
  readonly #options: GaleraOptions
  readonly #folder: string
  #process: ChildProcess | undefined
  #backup: Connection | undefined

  constructor(number: number, options: GaleraOptions) {
    this.number = number
    this.#options = options
    this.#folder = join(options.folder, `node${number}`)
  }

  get isRunning(): boolean {
    return this.#process !== undefined && this.#process.exitCode === null && this.#process.signalCode === null
  }

  get host(): string {
    return this.#options.network.address(this.number, 'clients')
  }

  get logFile(): string {
    return join(this.#folder, 'error.log')
  }

  /** Makes the data of the first node; the others copy it. */
  async install(): Promise<void> {
    await this.#makeFolder()
    await run('mariadb-install-db', [
      '--no-defaults',
      `--user=${SYSTEM_USER}`,
      `--datadir=${this.#data}`,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
      '--skip-name-resolve',
    ])
  }

  /**
   * Starts the server as a service of a Linux distribution does: with the position that its data have. `isFirst`: it makes
   * a new cluster instead of joining one.
   */
  async start(isFirst = false): Promise<void> {
    if (this.isRunning) throw new Error(`node ${this.number} is running`)
    await this.#makeFolder()
    const position = isFirst ? undefined : await this.recoveredPosition()
    const log = await open(this.logFile, 'a')
    const [command, ...args] = this.#options.network.command(this.number, [
      'mariadbd',
      ...this.#args(),
      ...(isFirst ? ['--wsrep-new-cluster'] : []),
      ...(position === undefined ? [] : [`--wsrep-start-position=${position}`]),
    ])
    this.#process = spawn(command, args, { stdio: ['ignore', log.fd, log.fd] })
    await log.close()
  }

  /** How far the data of a server that is down got, `uuid:number`; undefined when it has none. */
  async recoveredPosition(): Promise<string | undefined> {
    const isNew = await access(join(this.#data, 'ibdata1')).then(
      () => false,
      () => true,
    )
    if (isNew) return undefined
    const file = join(this.#folder, 'recovery.log')
    await run('mariadbd', [...this.#args(), '--wsrep-recover', '--skip-networking', `--log-error=${file}`])
    const positions = [...(await readFile(file, 'utf8')).matchAll(/Recovered position: ?(\S+)/g)]
    return positions.at(-1)?.[1]
  }

  /** Waits until the server is a member of the cluster with all data. */
  async synced(timeoutMillis = READY_MILLIS): Promise<void> {
    const isSynced = async () => {
      if (!this.isRunning) throw new Error(`node ${this.number} ended, see ${this.logFile}`)
      const status = await this.status().catch(() => new Map<string, string>())
      return status.get('wsrep_local_state_comment') === 'Synced' && status.get('wsrep_ready') === 'ON'
    }
    await until(isSynced, { timeoutMillis, what: `node ${this.number} is a member` })
  }

  /** What the server says of the cluster. */
  async status(): Promise<Map<string, string>> {
    const rows = await this.query<{ Variable_name: string; Value: string }>("SHOW STATUS LIKE 'wsrep%'")
    return new Map(rows.map((row) => [row.Variable_name, row.Value]))
  }

  /** Keeps the server from taking in what others commit, as a backup does; it goes on to answer. */
  async beginBackup(): Promise<void> {
    this.#backup = await this.#connect()
    await this.#backup.query('FLUSH TABLES WITH READ LOCK')
  }

  endBackup(): void {
    this.#backup?.destroy()
    this.#backup = undefined
  }

  /** Runs statements as root, whatever cable is pulled. */
  async query<Row>(sql: string): Promise<Row[]> {
    let connection: Connection | undefined
    try {
      connection = await this.#connect()
      const [rows] = await connection.query({ sql, timeout: 10_000 })
      return rows as Row[]
    } finally {
      connection?.destroy()
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal)
  }

  /** Kills the server at once. */
  async kill(): Promise<void> {
    if (!this.isRunning || this.#process === undefined) return
    const ended = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await ended
    // What it had called to send or fetch data may outlive it for a moment and hold its port.
    await pause(100)
  }

  async #makeFolder(): Promise<void> {
    await mkdir(this.#data, { recursive: true })
    await run('chown', [SYSTEM_USER, this.#options.folder, this.#folder, this.#data])
  }

  #connect(): Promise<Connection> {
    return createConnection({
      socketPath: this.#socket,
      user: 'root',
      multipleStatements: true,
      connectTimeout: 2_000,
    })
  }

  get #data(): string {
    return join(this.#folder, 'data')
  }

  get #socket(): string {
    return join(this.#folder, 'mariadb.sock')
  }

  #args(): string[] {
    const { network, nodes, provider, suspectMillis } = this.#options
    const own = network.address(this.number, 'replication')
    const all = Array.from({ length: nodes }, (_, index) => network.address(index + 1, 'replication'))
    const providerOptions = [
      `base_dir=${this.#data}`,
      `base_host=${own}`,
      `gmcast.listen_addr=tcp://${own}:4567`,
      'gcache.size=64M',
      ...(suspectMillis === undefined ? [] : timeoutsOf(suspectMillis)),
    ]
    return [
      '--no-defaults',
      `--user=${SYSTEM_USER}`,
      `--datadir=${this.#data}`,
      `--tmpdir=${this.#folder}`,
      `--socket=${this.#socket}`,
      `--pid-file=${join(this.#folder, 'mariadb.pid')}`,
      `--bind-address=${this.host}`,
      `--port=${DATABASE_PORT}`,
      '--skip-name-resolve',
      '--performance-schema=OFF',
      '--innodb-buffer-pool-size=64M',
      '--innodb-log-file-size=32M',
      '--innodb-flush-log-at-trx-commit=1',
      '--innodb-autoinc-lock-mode=2',
      '--binlog-format=ROW',
      '--wsrep-on=ON',
      `--wsrep-provider=${provider}`,
      `--wsrep-provider-options=${providerOptions.join(';')}`,
      `--wsrep-cluster-address=gcomm://${all.join(',')}`,
      '--wsrep-cluster-name=athenz',
      `--wsrep-node-name=node${this.number}`,
      `--wsrep-node-address=${own}`,
      '--wsrep-sst-method=rsync',
      `--wsrep-sst-receive-address=${own}:4444`,
      '--wsrep-slave-threads=2',
    ]
  }
}

/** Galera's own proportions. */
function timeoutsOf(suspectMillis: number): string[] {
  const seconds = (millis: number) => `PT${(millis / 1000).toFixed(2)}S`
  return [
    `evs.suspect_timeout=${seconds(suspectMillis)}`,
    `evs.inactive_timeout=${seconds(3 * suspectMillis)}`,
    `evs.install_timeout=${seconds(1.5 * suspectMillis)}`,
    `evs.keepalive_period=${seconds(suspectMillis / 5)}`,
    `evs.inactive_check_period=${seconds(suspectMillis / 10)}`,
    `gmcast.peer_timeout=${seconds(0.6 * suspectMillis)}`,
  ]
}

/** MariaDB servers that have the same data, each with a network of its own. */
export class GaleraCluster implements AsyncDisposable {
  readonly nodes: readonly GaleraNode[]
  readonly network: ClusterNetwork

  private constructor(nodes: readonly GaleraNode[], network: ClusterNetwork) {
    this.nodes = nodes
    this.network = network
  }

  /** Starts a new cluster and waits until all are members. */
  static async start(options: GaleraOptions): Promise<GaleraCluster> {
    const nodes = Array.from({ length: options.nodes }, (_, index) => new GaleraNode(index + 1, options))
    const cluster = new GaleraCluster(nodes, options.network)
    try {
      const [first, ...others] = nodes
      await first?.install()
      await first?.start(true)
      await first?.synced()
      await first?.query(`CREATE USER '${DATABASE_USER}'@'%'; GRANT ALL PRIVILEGES ON *.* TO '${DATABASE_USER}'@'%'`)
      // One after the other: each is given the data by a member, which cannot serve two.
      for (const node of others) {
        await node.start()
        await node.synced()
      }
      return cluster
    } catch (error) {
      await cluster[Symbol.asyncDispose]()
      throw error
    }
  }

  node(number: number): GaleraNode {
    const node = this.nodes[number - 1]
    if (node === undefined) throw new RangeError(`no node ${number}`)
    return node
  }

  /** Waits until all nodes are members with all data. */
  async synced(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.synced()))
    const sizes = async () =>
      Promise.all(this.nodes.map(async (node) => (await node.status()).get('wsrep_cluster_size')))
    await until(async () => (await sizes()).every((size) => size === String(this.nodes.length)), {
      timeoutMillis: READY_MILLIS,
      what: 'every node sees all others',
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.nodes) node.signal('SIGCONT')
    await Promise.all(this.nodes.map((node) => node.kill()))
  }
}
