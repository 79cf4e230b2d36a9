import { type ChildProcess, spawn } from 'node:child_process'
import { type FileHandle, open } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { resolve as resolvePath } from 'node:path'
import { CommandFailure, reasonOf } from './command-failure.ts'
import { identify, type ProcessIdentity } from './process-identity.ts'
import { PROJECT_FOLDER, type ServerKind } from './server-kind.ts'

/** How a server is started. */
export interface ServerLaunch {
  readonly kind: ServerKind
  /** Base of its relative paths. */
  readonly root: string
  readonly propertiesFiles: readonly string[]
  /** Win over the files. */
  readonly settings: ReadonlyMap<string, string>
  /** It stops when its parent ends, however that ends. */
  readonly tied?: boolean
  /** Gets its standard output and its standard error, each appended. */
  readonly logFile: string
  readonly errorFile: string
}

/** How a process ended: its exit status, or the signal that ended it. */
export interface ProcessEnd {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  /** Why it could not even be started. */
  readonly failure?: string
}

/** A server running as a child in a process group of its own, so that Ctrl-C in a terminal reaches only the parent. */
export interface ServerProcess {
  readonly kind: ServerKind
  readonly identity: ProcessIdentity
  /** Where it listens, once it says so; rejects with a CommandFailure that tells why when it ends before. */
  readonly listening: Promise<ListeningServer>
  readonly ended: Promise<ProcessEnd>
  /** What it has written to standard error since it was started, without empty lines and its name before each line. */
  errors(): Promise<string[]>
  /** Its last warning or error in its log since it was started. */
  complaint(): Promise<string | undefined>
  /** Lets the parent end while the server goes on. */
  detach(): void
}

/** A server that accepts connections. */
export interface ListeningServer {
  /** Base of its REST interface, e.g. `https://localhost:4443/zms/v1`. */
  readonly url: string
  readonly port: number
}

/**
 * Options of the runtime by which a server takes less memory and time (`npm run bench -- goals memory access`), each with what
 * it is worth with 1,000 domains.
 */
export const RUNTIME_OPTIONS: readonly string[] = [
  // By itself the runtime lets garbage grow to several times the data before it looks for it. 100 MiB.
  '--max-semi-space-size=4',
  '--heap-growing-percent=30',
  // Of 4 MiB, which are looked through 80 times a second under load, threads have found each other no sooner than one alone
  // is done: 1.1 µs of processor time for a request.
  '--no-parallel-scavenge',
  // What lives long while data are loaded makes the runtime put later objects from the same places among the old ones at
  // once, in some starts those of every request, with all they refer to: 6 µs of processor time for a request.
  '--no-allocation-site-pretenuring',
  // Of the two optimizing compilers the quick one; code that runs often ends up with the other anyway. 15 MiB.
  '--no-maglev',
]

/** The arguments of `node` that run a server in the foreground. */
export function serverArguments(launch: Omit<ServerLaunch, 'logFile' | 'errorFile'>): string[] {
  return [
    ...process.execArgv,
    ...RUNTIME_OPTIONS,
    resolvePath(PROJECT_FOLDER, launch.kind.main),
    '--root',
    launch.root,
    ...(launch.tied ? ['--tied'] : []),
    ...launch.propertiesFiles.flatMap((file) => ['--properties', file]),
    ...Array.from(launch.settings, ([key, value]) => ['-D', `${key}=${value}`]).flat(),
  ]
}

/**
 * The environment of a server: this process's, and `USER`, which the shipped configuration names, also where no login set
 * it. The C library keeps freed memory of at most two threads apart, for 4 MiB less; who sets `MALLOC_ARENA_MAX` decides.
 */
export function serverEnvironment(): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { MALLOC_ARENA_MAX: '2', ...process.env }
  if (env['USER']) return env
  try {
    return { ...env, USER: userInfo().username }
  } catch {
    // A container may run under a number that belongs to no account.
    return env
  }
}

/** Starts a server; it is a child of this process until `detach`. The log folder must exist. */
export async function launchServer(launch: ServerLaunch): Promise<ServerProcess> {
  const { kind } = launch
  const log = await openOutput(launch.logFile, 'a')
  const errors = await openOutput(launch.errorFile, 'a+')
  const [logStart, errorsStart] = [(await log.stat()).size, (await errors.stat()).size]
  try {
    const child = spawn(process.execPath, serverArguments(launch), {
      cwd: launch.root,
      env: serverEnvironment(),
      detached: true,
      stdio: ['ignore', log.fd, errors.fd, 'ipc'],
    })
    const readErrors = () => linesFrom(launch.errorFile, errorsStart, `${kind.name}: `)
    const ended = endOf(child)
    const listening = firstOf(listeningOf(child, kind), ended, async (end) => {
      throw new CommandFailure(`${kind.name} did not start: ${await describeEnd(end, readErrors)}`)
    })
    // Whoever asks later still gets the failure; nobody asking is no reason to end the process.
    listening.catch(() => {})
    return {
      kind,
      identity: identify(child.pid ?? 0),
      listening,
      ended,
      errors: readErrors,
      complaint: async () => lastComplaint(await linesFrom(launch.logFile, logStart, '')),
      detach() {
        child.disconnect()
        child.unref()
      },
    }
  } finally {
    await Promise.all([log.close(), errors.close()])
  }
}

async function openOutput(file: string, flags: string): Promise<FileHandle> {
  try {
    return await open(file, flags, 0o640)
  } catch (error) {
    throw new CommandFailure(`cannot write to ${file}: ${reasonOf(error)}`)
  }
}

/** Why a process ended, from the last lines it wrote to standard error, or else from how it ended. */
export async function describeEnd(end: ProcessEnd, errors: () => Promise<string[]>): Promise<string> {
  if (end.failure !== undefined) return end.failure
  const lines = await errors()
  if (lines.length > 0) return lines.slice(-MAX_REASON_LINES).join('\n')
  return end.signal === null ? `it ended with status ${end.status}` : `it was ended by ${end.signal}`
}

// Enough for every problem of a configuration; the whole text is in the file.
const MAX_REASON_LINES = 40

function endOf(child: ChildProcess): Promise<ProcessEnd> {
  return new Promise((resolve) => {
    child.once('exit', (status, signal) => resolve({ status, signal }))
    child.once('error', (error) => resolve({ status: null, signal: null, failure: error.message }))
  })
}

function listeningOf(child: ChildProcess, kind: ServerKind): Promise<ListeningServer> {
  return new Promise((resolve) => {
    child.on('message', (message: unknown) => {
      if (typeof message !== 'object' || message === null) return
      const { type, port, [kind.name]: url } = message as Record<string, unknown>
      if (type === 'ready' && typeof port === 'number' && typeof url === 'string') resolve({ url, port })
    })
  })
}

function firstOf<T, E>(wanted: Promise<T>, other: Promise<E>, otherwise: (value: E) => Promise<T>): Promise<T> {
  return Promise.race([wanted, other.then(otherwise)])
}

/** The message of the last line of a log (JSON lines) that is a warning or worse. */
function lastComplaint(lines: readonly string[]): string | undefined {
  for (const line of lines.toReversed()) {
    try {
      const { level, msg } = JSON.parse(line) as { level?: unknown; msg?: unknown }
      if (typeof msg === 'string' && COMPLAINTS.has(level)) return msg
    } catch {
      // Not a line of the log.
    }
  }
  return undefined
}

const COMPLAINTS: ReadonlySet<unknown> = new Set(['warn', 'error', 'fatal'])

async function linesFrom(file: string, start: number, prefix: string): Promise<string[]> {
  const handle = await open(file, 'r')
  try {
    const { size } = await handle.stat()
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(Math.max(0, size - start)), 0, null, start)
    const lines = buffer.toString('utf8', 0, bytesRead).split('\n')
    return lines
      .map((line) => (line.startsWith(prefix) ? line.slice(prefix.length) : line).trimEnd())
      .filter((line) => line !== '')
  } finally {
    await handle.close()
  }
}
