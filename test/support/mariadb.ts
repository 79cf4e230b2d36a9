import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { access, constants, mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { type Connection, createConnection } from 'mysql2/promise'

const run = promisify(execFile)

/** How a test server is started. */
export interface MariaDbOptions {
  /** Every commit reaches the disk before it is acknowledged, as in production; otherwise the server never waits for the disk. */
  durable?: boolean
  /** Further arguments of the server program, e.g. `--max-connections=5`. */
  args?: readonly string[]
}

/** A MariaDB server of the test's own: its data is in a temporary folder that disappears with the test process. */
export interface MariaDb extends AsyncDisposable {
  readonly host: '127.0.0.1'
  /** Stays the same over crash and restart. */
  readonly port: number
  readonly socket: string
  /** Process id of the running server; 0 while it is down. */
  readonly pid: number
  /** `mysql://…` address of a database, as user root without password. */
  url(database: string): string
  /** `jdbc:mysql://…` address of a database, as the server's properties name it. */
  jdbcUrl(database: string): string
  /** Runs one statement as root, with times in UTC, and gives its rows; tables are named with their database. */
  query<Row = Record<string, unknown>>(sql: string, values?: readonly unknown[]): Promise<Row[]>
  /** Runs all statements of a file in a database. */
  load(database: string, file: string): Promise<void>
  /** Creates a database of a new name from a schema file, whose CREATE DATABASE and USE lines are pointed at it, and gives the name. */
  freshDatabase(schemaFile: string): Promise<string>
  /** Kills the server at once (SIGKILL); the data stays for `restart`. */
  crash(): Promise<void>
  /** Starts a crashed server again on the same data and port. */
  restart(): Promise<void>
  /** Ends the server and removes its data. */
  stop(): Promise<void>
}

// The settings of a MySQL 8 server, stricter than MariaDB's own, and a time zone that nobody expects: what passes here
// depends on neither.
const SQL_MODE =
  'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'
const COMMON_ARGS = [
  '--bind-address=127.0.0.1',
  '--skip-name-resolve',
  '--performance-schema=OFF',
  '--innodb-buffer-pool-size=64M',
  '--innodb-log-file-size=16M',
  '--default-time-zone=-03:30',
  `--sql-mode=${SQL_MODE}`,
]
const DURABLE_ARGS = ['--innodb-flush-log-at-trx-commit=1']
const FAST_ARGS = ['--innodb-flush-log-at-trx-commit=0', '--innodb-flush-method=nosync', '--skip-innodb-doublewrite']

const INSTALL_ARGS = [
  '--auth-root-authentication-method=normal',
  '--skip-test-db',
  '--skip-name-resolve',
  '--innodb-log-file-size=16M',
]

// The guard is the server's parent. It waits for a line on its standard input, which ends by itself when the test
// process dies in whatever way; then it kills the server and, unless told to keep them, removes its files. Only the
// server holds standard error, so the end of that stream is the end of the server.
const GUARD = `
folder=$1; shift
"$@" &
server=$!
exec 2>/dev/null
echo "$server"
read -r ending
kill -KILL "$server"
wait "$server"
[ "$ending" = keep ] || rm -rf "$folder"
`

// Where packages put servers; often not on the path of an ordinary user.
const SERVER_FOLDERS = [
  '/usr/sbin',
  '/usr/bin',
  '/usr/libexec',
  '/usr/local/sbin',
  '/usr/local/bin',
  '/opt/homebrew/bin',
]

interface Running {
  guard: ChildProcess
  pid: number
}

const isRoot = () => process.getuid?.() === 0

async function findProgram(names: readonly string[]): Promise<string | undefined> {
  const path = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  const folders = [...path, ...SERVER_FOLDERS]
  for (const name of names) {
    for (const folder of folders) {
      const file = join(folder, name)
      const executable = await access(file, constants.X_OK).then(
        () => true,
        () => false,
      )
      if (executable) return file
    }
  }
  return undefined
}

async function findServer(): Promise<{ server: string; installer: string } | undefined> {
  const server = await findProgram(['mariadbd', 'mysqld'])
  const installer = await findProgram(['mariadb-install-db', 'mysql_install_db'])
  return server !== undefined && installer !== undefined ? { server, installer } : undefined
}

async function findOrInstallServer(): Promise<{ server: string; installer: string }> {
  const found = await findServer()
  if (found !== undefined) return found
  if (!isRoot() || (await findProgram(['apt-get'])) === undefined) {
    throw new Error('these tests need a MariaDB server: install mariadb-server (programs mariadbd, mariadb-install-db)')
  }
  // The core packages bring the programs without a system service. Test files start in parallel: one installs, the
  // others wait for it.
  const script = `command -v mariadbd >/dev/null || {
    apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
      mariadb-server-core mariadb-client-core
  }`
  await run('flock', ['/var/cache/apt', 'sh', '-c', script])
  const installed = await findServer()
  if (installed === undefined) throw new Error('apt-get installed no mariadbd and mariadb-install-db')
  return installed
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (address === null || typeof address === 'string') throw new Error('no TCP port')
  return address.port
}

/** Starts the program under a guard and waits until it says that it accepts connections. */
async function startGuarded(folder: string, command: readonly string[]): Promise<Running> {
  // A process group of its own: Ctrl-C in the terminal ends the tests, and the guard cleans up after them.
  const guard = spawn('sh', ['-c', GUARD, 'guard', folder, ...command], { detached: true, stdio: 'pipe' })
  // Killing the guard's peer while it is written to is no error of the test.
  guard.stdin.on('error', () => {})
  const [firstLine] = (await once(createInterface(guard.stdout), 'line')) as [string]
  const log: string[] = []
  for await (const line of createInterface(guard.stderr)) {
    log.push(line)
    if (line.includes('ready for connections')) {
      guard.stderr.resume()
      for (const handle of [guard, guard.stdin, guard.stdout, guard.stderr]) (handle as ChildProcess).unref()
      return { guard, pid: Number(firstLine) }
    }
  }
  await endGuard(guard, 'keep')
  throw new Error(`${command[0]} did not start:\n${log.slice(-20).join('\n')}`)
}

async function endGuard(guard: ChildProcess, ending: 'keep' | 'remove'): Promise<void> {
  guard.ref()
  const exited = once(guard, 'exit')
  guard.stdin?.end(`${ending}\n`)
  await exited
}

/**
 * Starts a MariaDB server for the calling test file, under whatever user runs the tests; several may run side by side.
 * Installs the server with apt when it is missing and the tests run as root. Takes about a second.
 */
export async function startMariaDb(options: MariaDbOptions = {}): Promise<MariaDb> {
  const { server, installer } = await findOrInstallServer()
  const folder = await mkdtemp(join(tmpdir(), 'athenz-mariadb-'))
  const data = join(folder, 'data')
  const socket = join(folder, 'mariadb.sock')
  // Without --no-defaults as the very first argument the settings of the machine's own server would apply.
  const common = ['--no-defaults', ...(isRoot() ? ['--user=root'] : []), `--datadir=${data}`]
  const start = (port: number) =>
    startGuarded(folder, [
      server,
      ...common,
      `--tmpdir=${folder}`,
      `--socket=${socket}`,
      `--pid-file=${join(folder, 'mariadb.pid')}`,
      `--port=${port}`,
      ...COMMON_ARGS,
      ...(options.durable ? DURABLE_ARGS : FAST_ARGS),
      ...(options.args ?? []),
    ])

  let port = 0
  let running: Running | undefined
  try {
    // In a folder of its own too: a server that starts removes the temporary tables that it finds, also those of others.
    await run(installer, [...common, ...INSTALL_ARGS], { env: { ...process.env, TMPDIR: folder } })
    // Between the probe and the start another process may take the port.
    for (let attempt = 1; running === undefined; attempt++) {
      port = await freePort()
      running = await start(port).catch((error: Error) => {
        if (attempt < 5 && /TCP\/IP port/.test(error.message)) return undefined
        throw error
      })
    }
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }

  const connected = async <Result>(database: string | undefined, use: (connection: Connection) => Promise<Result>) => {
    const connection = await createConnection({
      host: '127.0.0.1',
      port,
      user: 'root',
      charset: 'utf8mb4',
      timezone: 'Z',
      multipleStatements: true,
      ...(database === undefined ? {} : { database }),
    })
    try {
      await connection.query("SET time_zone = '+00:00'")
      return await use(connection)
    } finally {
      connection.destroy()
    }
  }
  const end = async (ending: 'keep' | 'remove') => {
    const ended = running
    running = undefined
    if (ended !== undefined) await endGuard(ended.guard, ending)
    else if (ending === 'remove') await rm(folder, { recursive: true, force: true })
  }
  const stop = () => end('remove')

  return {
    host: '127.0.0.1',
    get port() {
      return port
    },
    socket,
    get pid() {
      return running?.pid ?? 0
    },
    url: (database) => `mysql://root@127.0.0.1:${port}/${database}`,
    jdbcUrl: (database) => `jdbc:mysql://127.0.0.1:${port}/${database}`,
    query: <Row>(sql: string, values: readonly unknown[] = []) =>
      connected(undefined, async (connection) => (await connection.query(sql, [...values]))[0] as Row[]),
    async load(database, file) {
      const sql = await readFile(file, 'utf8')
      await connected(database, (connection) => connection.query(sql))
    },
    async freshDatabase(schemaFile) {
      const name = `${basename(schemaFile, '.sql')}_${randomBytes(6).toString('hex')}`
      const sql = (await readFile(schemaFile, 'utf8'))
        .replace(/^(CREATE DATABASE IF NOT EXISTS) `\w+`/gm, `$1 \`${name}\``)
        .replace(/^USE `\w+`/gm, `USE \`${name}\``)
      await connected(undefined, (connection) => connection.query(sql))
      return name
    },
    crash: () => end('keep'),
    async restart() {
      if (running !== undefined) throw new Error('the server is running')
      running = await start(port)
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}
