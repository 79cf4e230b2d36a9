import { stat } from 'node:fs/promises'
import { join, resolve as resolvePath } from 'node:path'
import { makeFolders } from '#core/seam/make-folders.ts'
import { CommandFailure, reasonOf } from './command-failure.ts'
import { InstanceLock, LockHeldError } from './instance-lock.ts'
import { identify, isRunning, signalProcess, waitForEnd } from './process-identity.ts'
import { type ServerKind, type ServerLayout, serverLayout } from './server-kind.ts'
import { configuredAddress } from './server-port.ts'
import {
  describeEnd,
  launchServer,
  type ServerLaunch,
  type ServerProcess,
  serverArguments,
  serverEnvironment,
} from './server-process.ts'
import { type ServerState, ServerStateFiles } from './server-state.ts'
import { askStatus, type StatusAnswer, type StatusTarget } from './server-status.ts'
import { StopRequest } from './stop-request.ts'

/** Which installation a command is about. */
export interface ControlOptions {
  /** Folder that holds `conf` and `var`; absolute. */
  readonly root: string
  /** Properties that win over the files. */
  readonly settings: ReadonlyMap<string, string>
  /** Longest wait for the start or the stop. */
  readonly timeoutMillis: number
}

// A server that is not ready yet has no requests to finish.
const INTERRUPTED_START_MILLIS = 5000

/** Exit statuses of `status`, as the Linux Standard Base has them for init scripts. */
export const SERVICE_STATUS = { running: 0, deadWithPidFile: 1, stopped: 3, unknown: 4 } as const

/**
 * Starts a server in the background and waits until it answers its status; what runs already is left alone.
 * @throws CommandFailure with the reason that the server itself gave when it does not start
 */
export async function startInBackground(kind: ServerKind, options: ControlOptions): Promise<number> {
  const layout = await layoutOf(kind, options.root)
  const files = new ServerStateFiles(kind, layout)
  return withStartLock(kind, layout, async () => {
    const present = await files.readRunning()
    if (present) {
      console.log(`${kind.name} is already running: ${describe(present)}`)
      return 0
    }
    const stop = new StopRequest()
    const { logFile, errorFile } = layout
    const launch = launchOf(kind, layout, options)
    const address = await configuredAddress(launch)
    const child = await launchServer({ ...launch, logFile, errorFile })
    const state = { identity: child.identity, startedMillis: Date.now(), foreground: false, ...address }
    let answer: StatusAnswer
    try {
      await files.write(state)
      const deadline = AbortSignal.timeout(options.timeoutMillis)
      await untilListening(child, deadline, stop)
      answer = await untilHealthy(address.status, child, deadline, stop)
    } catch (error) {
      await endServer(child)
      await files.remove()
      throw error
    }
    child.detach()
    const { health, ok } = healthOf(answer)
    if (!ok) {
      const complaint = await child.complaint()
      const reason = complaint === undefined ? `see ${logFile}` : `${complaint} (see ${logFile})`
      throw new CommandFailure(`${kind.name} runs (${describe(state)}) but ${health}: ${reason}`)
    }
    console.log(`${kind.name} is running: ${describe(state)}`)
    return 0
  })
}

/**
 * Stops a server and waits until it has finished its requests.
 * @throws CommandFailure when it does not end in time, or belongs to another user
 */
export async function stopInBackground(kind: ServerKind, options: ControlOptions): Promise<number> {
  const files = new ServerStateFiles(kind, await layoutOf(kind, options.root))
  const state = await files.readRunning()
  if (!state) {
    await files.remove()
    console.log(`${kind.name} is not running`)
    return 0
  }
  const { pid } = state.identity
  try {
    signalProcess(state.identity, 'SIGTERM')
  } catch (error) {
    throw new CommandFailure(`cannot stop process ${pid}: ${reasonOf(error)} (it belongs to another user)`)
  }
  if (!(await waitForEnd(state.identity, options.timeoutMillis))) {
    const waited = `${options.timeoutMillis / 1000} s`
    throw new CommandFailure(
      `${kind.name} (process ${pid}) has not finished its requests after ${waited}: call stop again to wait on, or kill -9 ${pid}`,
    )
  }
  await files.remove()
  console.log(`${kind.name} has stopped`)
  return 0
}

/** Stops a server if it runs, then starts it. */
export async function restartInBackground(kind: ServerKind, options: ControlOptions): Promise<number> {
  await stopInBackground(kind, options)
  return startInBackground(kind, options)
}

/** Says whether a server runs: process, port, time since its start, health. Gives one of SERVICE_STATUS. */
export async function reportStatus(kind: ServerKind, options: ControlOptions): Promise<number> {
  const files = new ServerStateFiles(kind, await layoutOf(kind, options.root))
  const state = await files.read()
  const running = await files.readRunning()
  if (!running) {
    const died = state && !state.foreground
    console.log(`${kind.name} is not running${died ? ` (process ${state.identity.pid} ended unexpectedly)` : ''}`)
    return died ? SERVICE_STATUS.deadWithPidFile : SERVICE_STATUS.stopped
  }
  const { health, ok } = healthOf(await askStatus(running.status))
  const uptime = duration(Date.now() - running.startedMillis)
  console.log(`${kind.name} is running: ${describe(running)}, up ${uptime}, ${health}`)
  return ok ? SERVICE_STATUS.running : SERVICE_STATUS.unknown
}

/**
 * Runs a server in the foreground, for supervisors and containers: this process becomes the server, so signals and
 * exit status are its own. Does not return.
 * @throws CommandFailure when one is running already
 */
export async function runInForeground(kind: ServerKind, options: ControlOptions): Promise<never> {
  const layout = await layoutOf(kind, options.root)
  const files = new ServerStateFiles(kind, layout)
  const launch = launchOf(kind, layout, options)
  await withStartLock(kind, layout, async () => {
    const present = await files.readRunning()
    if (present) throw new CommandFailure(`${kind.name} is already running: ${describe(present)}`)
    const address = await configuredAddress(launch)
    await files.write({ identity: identify(), ...address, startedMillis: Date.now(), foreground: true })
  })
  process.chdir(layout.root)
  process.execve?.(process.execPath, [process.execPath, ...serverArguments(launch)], serverEnvironment())
  throw new CommandFailure('this system cannot replace a running program')
}

async function layoutOf(kind: ServerKind, root: string): Promise<ServerLayout> {
  const folder = await stat(root).catch((error: unknown) => {
    throw new CommandFailure(`cannot use the folder ${root}: ${reasonOf(error)}`)
  })
  if (!folder.isDirectory()) throw new CommandFailure(`cannot use the folder ${root}: it is not a folder`)
  return serverLayout(kind, root)
}

async function withStartLock<T>(kind: ServerKind, layout: ServerLayout, start: () => Promise<T>): Promise<T> {
  const lock = await acquireStartLock(kind, layout)
  try {
    return await start()
  } finally {
    await lock.release()
  }
}

async function acquireStartLock(kind: ServerKind, layout: ServerLayout): Promise<InstanceLock> {
  try {
    // The folders of keys and certificates too: what the server misses then is a file, which the advice it gives makes.
    await makeFolders(layout.logsFolder)
    await makeFolders(layout.keysFolder, 0o700)
    await makeFolders(layout.certificatesFolder)
    return await InstanceLock.acquire(join(layout.varFolder, `${kind.name}.starting`))
  } catch (error) {
    if (error instanceof LockHeldError) {
      throw new CommandFailure(`another start is under way (process ${error.holder.pid})`)
    }
    throw new CommandFailure(`cannot write to ${layout.varFolder}: ${reasonOf(error)}`)
  }
}

function launchOf(
  kind: ServerKind,
  { root, propertiesFiles: [own = '', container = ''] }: ServerLayout,
  { settings }: ControlOptions,
): Omit<ServerLaunch, 'logFile' | 'errorFile'> {
  const named = (property: string, file: string) => resolvePath(root, settings.get(property) ?? file)
  const propertiesFiles = [named(`athenz.${kind.name}.prop_file`, own), named('athenz.prop_file', container)]
  return { kind, root, propertiesFiles, settings }
}

async function untilListening(child: ServerProcess, deadline: AbortSignal, stop: StopRequest): Promise<void> {
  const tooLate = new Promise<undefined>((resolve) => {
    deadline.addEventListener('abort', () => resolve(undefined), { once: true })
  })
  const listening = await Promise.race([child.listening, stop.asked, tooLate])
  if (listening) return
  throw new CommandFailure(stop.requested ? 'the start was interrupted' : `${child.kind.name} was not ready in time`)
}

// A server error may pass, for example while a database starts; any other answer is the server's own.
async function untilHealthy(
  target: StatusTarget,
  child: ServerProcess,
  deadline: AbortSignal,
  stop: StopRequest,
): Promise<StatusAnswer> {
  for (;;) {
    const answer = await askStatus(target)
    if (stop.requested) throw new CommandFailure('the start was interrupted')
    if (!isRunning(child.identity)) {
      const reason = await describeEnd(await child.ended, () => child.errors())
      throw new CommandFailure(`${child.kind.name} did not start: ${reason}`)
    }
    if (healthOf(answer).ok || deadline.aborted) return answer
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

async function endServer({ identity, ended }: ServerProcess): Promise<void> {
  if (!isRunning(identity)) return
  signalProcess(identity, 'SIGTERM')
  if (!(await waitForEnd(identity, INTERRUPTED_START_MILLIS))) signalProcess(identity, 'SIGKILL')
  await ended
}

function healthOf(answer: StatusAnswer): { health: string; ok: boolean } {
  if ('certificateNeeded' in answer) {
    return { health: 'listening, but its status needs a client certificate', ok: true }
  }
  if ('unreachable' in answer) return { health: `does not answer (${answer.unreachable})`, ok: false }
  if (answer.status === 200) return { health: 'healthy', ok: true }
  if (answer.status === 401) return { health: 'answering, but its status needs a credential', ok: true }
  return { health: `answers its status with ${answer.status}`, ok: false }
}

function describe({ identity, url }: Pick<ServerState, 'identity' | 'url'>): string {
  const { port, protocol } = new URL(url)
  return `process ${identity.pid}, port ${port || (protocol === 'https:' ? '443' : '80')}`
}

function duration(millis: number): string {
  const seconds = Math.max(0, Math.floor(millis / 1000))
  const units = [
    [86_400, 'd'],
    [3600, 'h'],
    [60, 'min'],
    [1, 's'],
  ] as const
  const first = units.findIndex(([size]) => seconds >= size)
  if (first === -1) return '0 s'
  let rest = seconds
  const parts = units.slice(first, first + 2).map(([size, unit]) => {
    const count = Math.floor(rest / size)
    rest %= size
    return `${count} ${unit}`
  })
  return parts.join(' ')
}
