import { resolve } from 'node:path'
import { CommandFailure } from './command-failure.ts'
import { ADMIN_FILES, ADMINISTRATOR } from './dev-administrator.ts'
import { type DevSummary, forPeople } from './dev-announcement.ts'
import { CA_FILES, type DevCa, ensureCa, ensureCertificate } from './dev-certificates.ts'
import { DEV_CONTEXT, devContext } from './dev-context.ts'
import { DevFolder } from './dev-folder.ts'
import { type DevServer, ownedBy, prepareServer, propertiesFilesOf } from './dev-server.ts'
import { DEV_SERVERS } from './dev-servers.ts'
import { type DevStore, prepareDatabase, prepareStore, storeOf } from './dev-store.ts'
import { makeSignInLink } from './dev-ui.ts'
import { isRunning, type ProcessIdentity, signalProcess, waitForEnd } from './process-identity.ts'
import { type ServerKind, serverLayout } from './server-kind.ts'
import { type ConfiguredServer, configuredAddress, configuredListener, freePort, isPortTaken } from './server-port.ts'
import {
  describeEnd,
  type ListeningServer,
  launchServer,
  type ProcessEnd,
  type ServerProcess,
} from './server-process.ts'
import { awaitStatusOk, type StatusAnswer } from './server-status.ts'
import { StopRequest } from './stop-request.ts'

/** What `athenz dev` is asked to do. */
export interface DevOptions {
  /** The folder for everything it makes. */
  readonly dir: string
  /** Port of each server; 0 is a free one, absent is the one in its configuration. */
  readonly ports: Readonly<Partial<Record<ServerKind['name'], number>>>
  readonly store?: 'file' | 'mysql'
  readonly mysqlUrl?: string
  /** Properties that win over the files. */
  readonly settings: ReadonlyMap<string, string>
  /** Servers to leave out. */
  readonly without: ReadonlySet<ServerKind['name']>
  /** Deletes what earlier runs made. */
  readonly reset: boolean
  /** Prints one line of JSON instead of a text. */
  readonly json: boolean
  /** How long each server may take until it answers; a minute when absent. */
  readonly readyTimeoutMillis?: number
}

/** What starting a server needs. */
interface DevRun {
  readonly folder: DevFolder
  readonly ca: DevCa
  readonly options: DevOptions
  /** All that are to run. */
  readonly servers: readonly DevServer[]
  /** Ports of those that listen on some free one, by name. */
  readonly ports: Map<ServerKind['name'], number>
  /** Every server started so far, for the lock and for the stop. */
  readonly started: ServerProcess[]
  /** Those that answer. */
  readonly running: RunningServer[]
  readonly stop: StopRequest
}

/** A server of this run that answers. */
interface RunningServer extends ListeningServer {
  readonly process: ServerProcess
}

const READY_TIMEOUT_MILLIS = 60_000
// Longer than a server waits for its requests in flight.
const STOP_TIMEOUT_MILLIS = 40_000
// A free port may be taken by someone else before the server gets it.
const FREE_PORT_ATTEMPTS = 5

/**
 * Makes what is missing in the folder, starts the servers, says where they are, and stays until it is asked to stop
 * (SIGINT, SIGTERM, SIGHUP) or a server ends. Gives the exit status: 0 when it stopped as asked.
 * @throws CommandFailure with one clear reason; whatever was started is stopped by then
 */
export async function dev(options: DevOptions, servers: readonly DevServer[] = DEV_SERVERS): Promise<number> {
  const stop = new StopRequest()
  const store = storeOf(options)
  const folder = await DevFolder.open(resolve(options.dir))
  try {
    await endOrphans(folder.lock.orphans)
    return await runIn(folder, options, servers, store, stop)
  } finally {
    await folder.lock.release()
  }
}

async function runIn(
  folder: DevFolder,
  options: DevOptions,
  known: readonly DevServer[],
  store: DevStore | undefined,
  stop: StopRequest,
): Promise<number> {
  const servers = known.filter(({ kind }) => !options.without.has(kind.name))
  for (const server of servers) await requireFreePort(folder, server, options)
  if (options.reset) {
    // What cannot be started anew is not deleted.
    await prepareDatabase(store)
    await reset(folder, known)
  }
  const ca = await ensureCa(folder)
  await Promise.all([
    ...servers.map((server) => prepareServer(folder, ca, server, CA_FILES.certificate)),
    ensureCertificate(folder, ca, { commonName: ADMINISTRATOR, use: 'client', files: ADMIN_FILES }),
    prepareStore(folder, store),
  ])

  const started: ServerProcess[] = []
  try {
    const running = await startAll({ folder, ca, options, servers, ports: new Map(), started, running: [], stop })
    if (!stop.requested) {
      await announce(folder, running, options.json)
      await Promise.race([stop.asked, ...started.map(failWhenEnded)])
    }
  } catch (error) {
    await stopAll(started, stop)
    throw error
  }
  return (await stopAll(started, stop)) ? 0 : 1
}

/** Starts the first server, then all others at the same time. Gives those that answer. */
async function startAll(run: DevRun): Promise<readonly RunningServer[]> {
  const { running, stop } = run
  const [first, ...others] = run.servers
  const start = async (server: DevServer): Promise<void> => {
    const answering = await startServer(run, server)
    if (answering !== undefined) running.push(answering)
  }
  // Those that start together are told of each other before.
  for (const server of run.servers) await choosePort(run, server)
  if (first !== undefined) await start(first)
  if (stop.requested) return running
  // All have come to an end before a failure is told: none is started after the others were stopped.
  const outcomes = await Promise.allSettled(others.map(start))
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  return running
}

/** Starts one server and waits for status 200; undefined when the stop came first. */
async function startServer(run: DevRun, server: DevServer): Promise<RunningServer | undefined> {
  const { folder, options, started, stop } = run
  const { kind } = server
  const { logFile, errorFile } = serverLayout(kind, folder.path)
  for (let attempt = 1; !stop.requested; attempt++) {
    if (attempt > 1) await choosePort(run, server)
    const anyPort = run.ports.get(kind.name)
    const settings = settingsIn(run, kind)
    await connect(run, server)
    const child = await launchServer({
      kind,
      root: folder.path,
      propertiesFiles: propertiesFilesOf(folder, server),
      settings,
      tied: true,
      logFile,
      errorFile,
    })
    started.push(child)
    await folder.lock.recordChildren(started.map(({ identity }) => identity))
    try {
      return await untilAnswering(run, server, child)
    } catch (error) {
      const mayRace = anyPort !== undefined || (server.yieldsPort && options.ports[kind.name] === undefined)
      const port = anyPort ?? (await listenerOf(folder, server, options)).port
      const isRace = mayRace && !isRunning(child.identity) && port !== undefined && (await isPortTaken(port))
      if (!isRace || attempt === FREE_PORT_ATTEMPTS) throw error
      started.splice(started.indexOf(child), 1)
    }
  }
  return undefined
}

/** Tells a server of the others and the others of it, as far as that has to be done. */
async function connect(run: DevRun, server: DevServer): Promise<void> {
  const { folder, ca, running, servers } = run
  const zms = running.find(({ process }) => process.kind.name === 'zms')
  if (server.connect === undefined || zms === undefined) return
  const zts = servers.find(({ kind }) => kind.name === 'zts')
  const ztsUrl = zts && `https://localhost:${await portOf(run, zts)}${zts.kind.basePath}`
  await server.connect({ folder, ca, zmsUrl: zms.url, port: await portOf(run, server), ztsUrl })
}

/** Where a server listens, or will listen. */
async function portOf(run: DevRun, server: DevServer): Promise<number> {
  const { port = 0 } = await configuredListener(configurationOf(run.folder, server, settingsIn(run, server.kind)))
  return port
}

/** Chooses a port for a server that is to listen on some free one. */
async function choosePort({ folder, options, ports }: DevRun, server: DevServer): Promise<void> {
  if (await needsAnyPort(folder, server, options)) ports.set(server.kind.name, await freePort())
  else ports.delete(server.kind.name)
}

async function untilAnswering(
  run: DevRun,
  server: DevServer,
  child: ServerProcess,
): Promise<RunningServer | undefined> {
  const { folder, ca, stop } = run
  const { readyTimeoutMillis = READY_TIMEOUT_MILLIS } = run.options
  const deadline = AbortSignal.timeout(readyTimeoutMillis)
  const tooLate = new Promise<never>((_, reject) => {
    deadline.addEventListener('abort', () => reject(notReady(child, readyTimeoutMillis)), { once: true })
  })
  const listening = await Promise.race([child.listening, stop.asked, tooLate])
  if (listening === undefined) return undefined
  const patience = AbortSignal.any([deadline, stop.signal])
  const { status } = await configuredAddress(configurationOf(folder, server, settingsIn(run, server.kind)))
  const [cert, key] = await Promise.all([folder.read(ADMIN_FILES.certificate), folder.read(ADMIN_FILES.key)])
  const trust = { ca: ca.pem, ...(cert && key && { cert, key }) }
  const answer = await Promise.race([awaitStatusOk(status, trust, patience), failWhenEnded(child)])
  if (stop.requested) return undefined
  if (!('status' in answer) || answer.status !== 200) throw notReady(child, readyTimeoutMillis, answer)
  return { ...listening, process: child }
}

async function requireFreePort(folder: DevFolder, server: DevServer, options: DevOptions): Promise<void> {
  const { kind } = server
  if (options.ports[kind.name] === 0) return
  const { port, host } = await listenerOf(folder, server, options)
  // What is no port the server refuses by itself, with its place.
  if (port === undefined) return
  if (port === 0) throw new CommandFailure(`athenz.tls_port is 0, so ${kind.name} would not offer HTTPS: choose a port`)
  if (!(await needsAnyPort(folder, server, options)) && (await isPortTaken(port, host))) {
    throw new CommandFailure(`port ${port} is taken: stop the process that uses it, or choose --${kind.name}-port`)
  }
}

/** Whether a server is to listen on some free port instead of the one in its configuration. */
async function needsAnyPort(folder: DevFolder, server: DevServer, options: DevOptions): Promise<boolean> {
  const asked = options.ports[server.kind.name]
  if (asked !== undefined || !server.yieldsPort) return asked === 0
  const { port, host } = await listenerOf(folder, server, options)
  return port !== undefined && isPortTaken(port, host)
}

const listenerOf = (folder: DevFolder, server: DevServer, options: DevOptions) =>
  configuredListener(configurationOf(folder, server, settingsOf(server.kind, options)))

/** What the configuration of a server is read from, where it is not the server itself that reads it. */
const configurationOf = (
  folder: DevFolder,
  server: DevServer,
  settings: ReadonlyMap<string, string>,
): ConfiguredServer => ({
  kind: server.kind,
  root: folder.path,
  propertiesFiles: propertiesFilesOf(folder, server),
  settings,
})

/** The settings of a server, with the port that was chosen for it. */
function settingsIn({ options, ports }: DevRun, kind: ServerKind): Map<string, string> {
  const settings = settingsOf(kind, options)
  const port = ports.get(kind.name)
  if (port !== undefined) settings.set('athenz.tls_port', String(port))
  return settings
}

function settingsOf(kind: ServerKind, options: DevOptions): Map<string, string> {
  const settings = new Map<string, string>()
  for (const [key, value] of options.settings) {
    const owner = /^athenz\.(zms|zts|ui)\./.exec(key)?.[1]
    if (owner === undefined || owner === kind.name) settings.set(key, value)
  }
  const port = options.ports[kind.name]
  if (port !== undefined) settings.set('athenz.tls_port', String(port))
  return settings
}

async function reset(folder: DevFolder, known: readonly DevServer[]): Promise<void> {
  const owned = known.map((server) => ownedBy(folder, server))
  const files = [CA_FILES, ADMIN_FILES].flatMap(({ certificate, key }) => [certificate, key])
  await folder.delete(
    [...files, ...owned.flatMap((own) => own.files)],
    owned.flatMap((own) => own.folders),
  )
}

// What a killed run left behind would hold the ports and the data.
async function endOrphans(orphans: readonly ProcessIdentity[]): Promise<void> {
  for (const orphan of orphans) {
    console.error(`athenz dev: an earlier run was killed; stopping the server it left behind (process ${orphan.pid})`)
    signalProcess(orphan, 'SIGTERM')
    if (await waitForEnd(orphan, STOP_TIMEOUT_MILLIS)) continue
    signalProcess(orphan, 'SIGKILL')
    await waitForEnd(orphan, STOP_TIMEOUT_MILLIS)
  }
}

/** Stops the servers that run, the last one first; gives whether all ended as they should. */
async function stopAll(started: readonly ServerProcess[], stop: StopRequest): Promise<boolean> {
  let clean = true
  for (const child of started.filter(({ identity }) => isRunning(identity)).toReversed()) {
    const end = await stopServer(child, stop)
    // During its start a server may not listen to the signal yet.
    if (end.status === 0 || end.signal === 'SIGTERM') continue
    clean = false
    const how = end.signal === null ? `with status ${end.status}` : `by ${end.signal}`
    console.error(`athenz dev: ${child.kind.name} did not stop cleanly (ended ${how})`)
  }
  return clean
}

async function stopServer({ identity, ended }: ServerProcess, stop: StopRequest): Promise<ProcessEnd> {
  signalProcess(identity, 'SIGTERM')
  const timeout = AbortSignal.timeout(STOP_TIMEOUT_MILLIS)
  const kill = () => signalProcess(identity, 'SIGKILL')
  for (const signal of [timeout, stop.urgent]) {
    if (signal.aborted) kill()
    else signal.addEventListener('abort', kill, { once: true })
  }
  const end = await ended
  for (const signal of [timeout, stop.urgent]) signal.removeEventListener('abort', kill)
  return end
}

async function failWhenEnded(child: ServerProcess): Promise<never> {
  const reason = await describeEnd(await child.ended, () => child.errors())
  throw new CommandFailure(`${child.kind.name} (process ${child.identity.pid}) ended: ${reason}`)
}

function notReady({ kind }: ServerProcess, timeoutMillis: number, answer?: StatusAnswer): CommandFailure {
  const seconds = `within ${timeoutMillis / 1000} s`
  if (answer === undefined) return new CommandFailure(`${kind.name} was not ready ${seconds}`)
  if ('certificateNeeded' in answer)
    return new CommandFailure(`${kind.name} refuses the certificate of ${ADMINISTRATOR}`)
  const last = 'status' in answer ? `last answer ${answer.status}` : answer.unreachable
  return new CommandFailure(`${kind.name} did not answer its status with 200 ${seconds} (${last})`)
}

async function announce(folder: DevFolder, running: readonly RunningServer[], json: boolean): Promise<void> {
  const of = (name: ServerKind['name']) => running.find(({ process }) => process.kind.name === name)
  const [zms, zts, ui] = [of('zms'), of('zts'), of('ui')]
  const summary: DevSummary = {
    zms: zms?.url ?? null,
    zts: zts?.url ?? null,
    ui: ui?.url ?? null,
    uiSignIn: ui ? await makeSignInLink(folder.path) : null,
    ca: folder.file(CA_FILES.certificate),
    clientCa: folder.file(CA_FILES.certificate),
    clientCaKey: folder.file(CA_FILES.key),
    adminCert: folder.file(ADMIN_FILES.certificate),
    adminKey: folder.file(ADMIN_FILES.key),
    pids: {
      zms: zms?.process.identity.pid ?? null,
      zts: zts?.process.identity.pid ?? null,
      ui: ui?.process.identity.pid ?? null,
    },
    readyMillis: Math.round(performance.now()),
  }
  await folder.write(DEV_CONTEXT, `${JSON.stringify(devContext(summary))}\n`)
  console.log(json ? JSON.stringify(summary) : forPeople(summary, folder.path))
}
