import { type Connection, type ConnectionOptions, createConnection, type ResultSetHeader } from 'mysql2'
import { DatabaseError, NOT_A_MEMBER } from './database-error.ts'
import type { DatabaseHost, DatabaseHosts } from './database-hosts.ts'

/** Where a MySQL or MariaDB database is and how it is talked to. */
export interface MySqlSettings {
  readonly host: string
  readonly port: number
  /** All servers that hold the database, when there are several; `host` and `port` are those of the first. */
  readonly hosts?: DatabaseHosts
  readonly database: string
  readonly user: string
  readonly password?: string
  /** Encrypt the connection; `versions` as in `TLSv1.2`. Undefined: plain. */
  readonly tls?: { readonly verifyServer: boolean; readonly versions: readonly string[] }
  /** Longest wait for a connection. */
  readonly connectTimeoutMillis: number
  /** Longest wait for the answer to a statement; the connection is closed then. */
  readonly statementTimeoutMillis: number
}

/** What may be a parameter of a prepared statement. Dates are in UTC. */
export type SqlValue = string | number | Date | null

/** Outcome of a statement that changes rows. */
export interface ChangeCount {
  /** Rows that were found, changed or not. */
  readonly found: number
  /** Key of the (first) inserted row; 0 when there is none. */
  readonly insertId: number
}

/** The server of a connection, and which others there are. */
interface Server {
  readonly host: DatabaseHost
  readonly hosts: DatabaseHosts | undefined
}

type Tls = NonNullable<MySqlSettings['tls']>
type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'
type Answer<T> = (error: Error | null, result: T) => void

/** SQL modes that make a server refuse what does not fit instead of changing it, whatever its own setting. */
const SQL_MODE = 'STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'

/** Longest wait for a connection to one of several servers. */
const NEXT_SERVER_MILLIS = 3_000

/** What a server says of itself when a connection is made; other servers than those of a cluster know no `wsrep`. */
const ABOUT_SERVER = `SHOW SESSION VARIABLES WHERE Variable_name IN ('wsrep_on', 'read_only');
  SHOW STATUS WHERE Variable_name IN ('wsrep_ready', 'wsrep_local_state')`

/** The state of a node that takes in what others commit as they do. */
const SYNCED = '4'

/**
 * In a cluster every statement waits until this node has what was committed on any other one before: reading (1), UPDATE
 * and DELETE (2), INSERT (4). Otherwise a node that is a little behind would answer with what was true a moment ago.
 */
const CLUSTER_SETUP = 'SET SESSION wsrep_sync_wait = 7, wsrep_dirty_reads = OFF'

/**
 * One connection with one statement at a time. Values reach the server only as parameters of prepared statements.
 * Every error is a DatabaseError; after one that leaves the state of the connection unclear, `usable` is false.
 */
export class MySqlConnection {
  /** When it was opened, in milliseconds of the monotonic clock. */
  readonly openedAt = performance.now()
  readonly #driver: Connection
  readonly #server: Server
  readonly #timeoutMillis: number
  /** Statements on their way, with the timers that limit them. */
  readonly #pending = new Map<(error: Error) => void, NodeJS.Timeout>()
  #usable = true
  #isOfCluster = false
  #isBehind = false
  #tookWrites = false
  /** Statements that a node of a cluster knows; the driver keeps them as long as the connection. */
  readonly #prepared = new Set<string>()
  #onClose: () => void = () => {}

  private constructor(driver: Connection, server: Server, timeoutMillis: number) {
    this.#driver = driver
    this.#server = server
    this.#timeoutMillis = timeoutMillis
    driver.on('error', (error) => this.#close(DatabaseError.ofStatement(error)))
    driver.on('end', () => this.#close(new DatabaseError('lost', 'the server closed the connection')))
  }

  /**
   * Connects and runs `setup`, a constant script of session settings; times are UTC and values are checked strictly. Of
   * several servers it is the first one that can be reached and takes writes: what another one holds may be old. A node
   * that does not keep up with its cluster, e.g. while it is backed up, would keep everybody waiting; it comes last.
   */
  static async open(settings: MySqlSettings, setup = ''): Promise<MySqlConnection> {
    const { hosts } = settings
    if (hosts === undefined) return MySqlConnection.#openAt(settings, settings, setup)
    const connectTimeoutMillis = Math.min(settings.connectTimeoutMillis, NEXT_SERVER_MILLIS)
    const failures: unknown[] = []
    let spare: MySqlConnection | undefined
    for (const host of hosts.inOrder()) {
      try {
        const at = { host: host.host, port: host.port, connectTimeoutMillis }
        const connection = await MySqlConnection.#openAt({ ...settings, ...at }, host, setup)
        hosts.answered(host)
        if (!connection.#isBehind) {
          spare?.close()
          return connection
        }
        if (spare === undefined) spare = connection
        else connection.close()
      } catch (error) {
        hosts.failed(host)
        failures.push(error)
      }
    }
    if (spare !== undefined) return spare
    throw failures[0]
  }

  static async #openAt(settings: MySqlSettings, host: DatabaseHost, setup: string): Promise<MySqlConnection> {
    const { hosts } = settings
    const driver = createConnection(optionsOf(settings))
    const connection = new MySqlConnection(driver, { host, hosts }, settings.statementTimeoutMillis)
    try {
      // The driver never answers when its connection is closed under way, which the limit does and the server may do.
      await connection.#send<unknown>((answer) => driver.connect(answer as never), settings.connectTimeoutMillis)
    } catch (error) {
      connection.close()
      throw DatabaseError.ofConnecting(error as DatabaseError)
    }
    try {
      await connection.#setUp(setup, hosts !== undefined)
    } catch (error) {
      connection.close()
      throw error
    }
    return connection
  }

  async #setUp(setup: string, isOneOfSeveral: boolean): Promise<void> {
    const session = `SET time_zone = '+00:00', sql_mode = '${SQL_MODE}'`
    const [, variables = [], status = []] = await this.script(`${session}; ${ABOUT_SERVER}; ${setup}`)
    const about = new Map(
      ([...variables, ...status] as { Variable_name: string; Value: string }[]).map((row) => [
        row.Variable_name,
        row.Value,
      ]),
    )
    this.#isOfCluster = about.get('wsrep_on') === 'ON'
    this.#tookWrites = about.get('read_only') === 'OFF'
    if (isOneOfSeveral && about.get('read_only') === 'ON') {
      throw new DatabaseError('unreachable', 'the server is read-only: what it holds may be old')
    }
    if (!this.#isOfCluster) return
    if (isOneOfSeveral && about.get('wsrep_ready') !== 'ON') {
      throw new DatabaseError('unreachable', 'the server is not a member of its cluster')
    }
    this.#isBehind = about.get('wsrep_local_state') !== SYNCED
    await this.script(CLUSTER_SETUP)
  }

  /** False once it is closed or its state is unclear. */
  get usable(): boolean {
    const { host, hosts } = this.#server
    return this.#usable && hosts?.hasFailedSince(host, this.openedAt) !== true
  }

  /** Whether the server is a node of a Galera cluster: others may commit what this one has not seen. */
  get isOfCluster(): boolean {
    return this.#isOfCluster
  }

  /** Whether the server took writes when the connection was made. */
  get tookWrites(): boolean {
    return this.#tookWrites
  }

  /** How many statements have been prepared on this connection so far, when its server is a node of a cluster. */
  get preparedStatements(): number {
    return this.#prepared.size
  }

  /** Called once when the connection closes, by whatever side. */
  set onClose(listener: () => void) {
    this.#onClose = listener
  }

  /** Rows of a query. */
  rows<Row>(sql: string, values: readonly SqlValue[] = []): Promise<Row[]> {
    return this.#execute<Row[]>(sql, values)
  }

  /** Runs a statement that changes rows. */
  async change(sql: string, values: readonly SqlValue[]): Promise<ChangeCount> {
    const { affectedRows, insertId } = await this.#execute<ResultSetHeader>(sql, values)
    return { found: affectedRows, insertId }
  }

  /**
   * Runs several constant statements, separated by `;`, in one round trip and gives the rows of each (none for those
   * that are no queries). Question marks stand for numbers and dates only: no text can get into the statements.
   */
  async script(sql: string, values: readonly (number | Date)[] = []): Promise<unknown[][]> {
    let next = 0
    const text = sql.replaceAll('?', () => literal(values[next++]))
    if (next !== values.length) throw new Error(`${values.length} values for ${next} places`)
    const results = await this.#send<unknown>((answer) => this.#driver.query(text, answer))
    const several = Array.isArray(results) && (Array.isArray(results[0]) || isHeader(results[0]))
    return (several ? (results as unknown[]) : [results]).map((result) => (Array.isArray(result) ? result : []))
  }

  /** Runs one statement of an administrator's file as it is written. */
  async statement(sql: string): Promise<void> {
    await this.#send<unknown>((answer) => this.#driver.query(sql, answer))
  }

  /** Closes at once; the server rolls back what is not committed. */
  close(): void {
    this.#close(new DatabaseError('lost', 'the connection was closed'))
  }

  #execute<Result>(sql: string, values: readonly SqlValue[]): Promise<Result> {
    if (this.#isOfCluster) this.#prepared.add(sql)
    return this.#send((answer) => this.#driver.execute(sql, values as SqlValue[], answer as Answer<never>))
  }

  #send<Result>(start: (answer: Answer<Result>) => void, timeoutMillis = this.#timeoutMillis): Promise<Result> {
    if (!this.#usable) return Promise.reject(new DatabaseError('lost', 'the connection is closed'))
    const { promise, resolve, reject } = Promise.withResolvers<Result>()
    // The driver's own limit leaves out the preparation of a statement.
    const giveUp = () => {
      this.#server.hosts?.failed(this.#server.host)
      this.#close(new DatabaseError('timeout', `no answer in ${timeoutMillis} ms`))
    }
    this.#pending.set(reject, setTimeout(giveUp, timeoutMillis))
    const settle = () => {
      clearTimeout(this.#pending.get(reject))
      this.#pending.delete(reject)
    }
    try {
      start((error, result) => {
        settle()
        if (error === null) {
          resolve(result)
          return
        }
        const failure = DatabaseError.ofStatement(error)
        if (failure.fault === 'lost') this.#close(failure)
        if (failure.number === NOT_A_MEMBER) {
          this.#server.hosts?.failed(this.#server.host)
          this.#close(failure)
        }
        reject(failure)
      })
    } catch (error) {
      settle()
      throw error
    }
    return promise
  }

  #close(reason: DatabaseError): void {
    if (!this.#usable) return
    this.#usable = false
    // The driver only half-closes; a server that does not answer would keep the socket open for ever.
    this.#driver.destroy()
    const { stream } = this.#driver as unknown as { stream?: { destroy(): void } }
    stream?.destroy()
    // The driver tells statements on their way nothing when the connection is closed on this side.
    for (const [reject, timer] of this.#pending) {
      clearTimeout(timer)
      reject(reason)
    }
    this.#pending.clear()
    this.#onClose()
  }
}

const isHeader = (result: unknown) => typeof result === 'object' && result !== null && 'affectedRows' in result

function literal(value: number | Date | undefined): string {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value)
  if (value instanceof Date) return `'${value.toISOString().replace('T', ' ').replace('Z', '')}'`
  throw new TypeError('scripts take integers and dates')
}

function optionsOf(settings: MySqlSettings): ConnectionOptions {
  return {
    host: settings.host,
    port: settings.port,
    database: settings.database,
    user: settings.user,
    ...(settings.password === undefined ? {} : { password: settings.password }),
    ...(settings.tls === undefined ? {} : { ssl: tlsOptionsOf(settings.tls) }),
    connectTimeout: 0,
    charset: 'utf8mb4',
    timezone: 'Z',
    // For scripts; what is prepared can never be more than one statement.
    multipleStatements: true,
    // A server could otherwise ask for any file of this machine.
    flags: ['-LOCAL_FILES'],
  }
}

function tlsOptionsOf({ verifyServer, versions }: Tls): NonNullable<ConnectionOptions['ssl']> {
  const sorted = versions.toSorted() as TlsVersion[]
  const [minVersion, maxVersion] = [sorted[0], sorted.at(-1)]
  return {
    rejectUnauthorized: verifyServer,
    verifyIdentity: verifyServer,
    ...(minVersion === undefined ? {} : { minVersion }),
    ...(maxVersion === undefined ? {} : { maxVersion }),
  }
}
