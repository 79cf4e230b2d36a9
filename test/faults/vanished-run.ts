// What the fault `vanish` runs in a network of its own: folder, and `short` or `long`. Prints what it saw, a line at a time.
import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent } from 'node:https'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { ClusterNetwork } from '../cluster/cluster-network.ts'
import { until } from '../support/until.ts'
import { AcknowledgedWrites } from './acknowledged-writes.ts'
import { type FaultServerName, FaultServers, RunningFaultServer } from './fault-servers.ts'
import { putNewCertificate } from './new-certificate.ts'
import { answerMillis, socketsOf } from './open-sockets.ts'
import type { VanishingKind, VanishingOrder } from './vanishing-clients.ts'

const run = promisify(execFile)
const FAR = 1
/** Last byte of the address of this end of the cable. */
const HERE = 254
/** Sockets of those who come and go while they are counted. */
const COMING_AND_GOING = 10
const MEMBERS_OF_LONG_ANSWER = 5_000
/** Handshakes, headers and bodies have limits of their own, and are looked at every few seconds. */
const SLACK_MILLIS = 30_000
/** For ZTS to learn of a change. */
const NEWS_MILLIS = 60_000
/** For ZTS to find out that ZMS has vanished: silence, and as many questions of the system as it asks. */
const VANISHED_MILLIS = 15_000
/** Of a machine that has more to do. */
const LATENESS_MILLIS = 10_000

const [dir = '', size = 'short'] = process.argv.slice(2)
const isLong = size === 'long'
const idleMillis = isLong ? 30_000 : 4_000
const each = isLong ? 100 : 10

const KINDS: Readonly<Record<FaultServerName, readonly VanishingKind[]>> = {
  zms: ['behind an answer', 'within headers', 'within a body', 'waiting for news', 'within an answer'],
  zts: ['behind an answer', 'within headers', 'within a body', 'waiting for news'],
}
/** Handshakes have ten seconds. */
const kindsOf = (name: FaultServerName): readonly VanishingKind[] =>
  isLong ? [...KINDS[name], 'before TLS'] : KINDS[name]

const say = (line: string) => void process.stdout.write(`${line}\n`)

const network = await ClusterNetwork.lay(FAR)

/** Clients vanish from both servers, which give their sockets back when the time limits have passed. */
async function clientsVanish(
  servers: FaultServers,
  running: Readonly<Record<FaultServerName, RunningFaultServer>>,
): Promise<void> {
  const names = ['zms', 'zts'] as const
  const roleMembers = Array.from({ length: MEMBERS_OF_LONG_ANSWER }, (_, at) => ({ memberName: `user.far${at}` }))
  const made = await running.zms.ask('PUT', '/domain/faults/role/big', { name: 'big', roleMembers })
  assert.equal(made.status, 204, JSON.stringify(made.body))
  const { ca, adminCert: cert, adminKey: key } = servers.summary
  const quiet = { zms: await socketsOf(running.zms.pid), zts: await socketsOf(running.zts.pid) }
  const clients = await startFar({
    host: network.address(HERE, 'clients'),
    targets: names.map((name) => ({ api: `/${name}/v1`, port: running[name].port, kinds: kindsOf(name) })),
    each,
    ca,
    cert,
    key,
  })
  const count = (name: FaultServerName) => kindsOf(name).length * each
  for (const name of names) {
    const open = (await socketsOf(running[name].pid)) - quiet[name]
    assert.ok(open > count(name) / 2, `${open} of ${count(name)} connections to ${name} are there`)
  }
  await network.cut(FAR, 'clients')
  const cutAt = performance.now()
  const ends = names.map(async (name) => {
    const server = running[name]
    let slowest = 0
    await until(
      async () => {
        slowest = Math.max(slowest, await answerMillis(server))
        return (await socketsOf(server.pid)) < quiet[name] + COMING_AND_GOING
      },
      { timeoutMillis: 2 * idleMillis + SLACK_MILLIS, what: `that ${name} gives the sockets back` },
    )
    const tookMillis = performance.now() - cutAt
    assert.equal((await server.readiness()).status, 200)
    await until(async () => (await server.metric('athenz_http_requests_in_flight', '{phase="arriving"}')) === 0, {
      what: 'that no request is arriving',
    })
    return `${name}: ${count(name)} clients vanished (${kindsOf(name).join(', ')}), all sockets given back after ${seconds(tookMillis)} s, with ${seconds(idleMillis)} s for connections without traffic; good clients waited ${Math.round(slowest)} ms at most`
  })
  for (const line of await Promise.all(ends)) say(line)
  await network.heal(FAR, 'clients')
  clients.stdin?.end()
  await once(clients, 'close')
}

/** ZMS loses its power while ZTS waits for its answer, and another one takes its place: nobody tells ZTS. */
async function zmsVanishes(servers: FaultServers): Promise<void> {
  const address = network.address(FAR, 'clients')
  await putNewCertificate(servers, 'zms', address)
  const options = { wrapper: network.command(FAR, []) }
  let zms = await startFarZms(servers, options)
  // What a process leaves in the kernel would end the connection properly when the cable is back.
  await run(...shell('echo 1 > /proc/sys/net/ipv4/tcp_orphan_retries'))
  const zts = await servers.start('zts', { settings: { 'athenz.zts.zms_url': `https://${address}:${zms.port}/` } })
  await zts.becomes(200)
  await addRole(zms, 'before')
  await knows(zts, 'before', NEWS_MILLIS)
  // What is on its way when the cable is pulled would be sent again, and tell.
  await until(() => isWaiting(zms), { timeoutMillis: NEWS_MILLIS, what: 'that ZTS waits for news' })

  const cutAt = performance.now()
  await network.cut(FAR, 'clients')
  zms.kill('SIGKILL')
  await zms.ended
  await until(async () => !(await hasConnections(zms.port)), {
    timeoutMillis: 120_000,
    what: 'that nothing is left of ZMS',
  })
  // So would a packet that waits for the address of the other end.
  await run(...shell('ip link set inner-clients down && ip link set inner-clients up'))
  zms = await startFarZms(servers, options)
  await knows(zts, 'before', 0)
  await network.heal(FAR, 'clients')
  const healedAt = performance.now()
  await addRole(zms, 'after')
  await knows(zts, 'after', VANISHED_MILLIS + LATENESS_MILLIS)
  say(
    `zts: ZMS vanished while its answer was waited for, and was there again: ZTS was ready and answered all the time, and had the next change ${seconds(performance.now() - healedAt)} s after the cable was back, ${seconds(performance.now() - cutAt)} s after it was pulled`,
  )
  assert.equal((await zts.readiness()).status, 200)
}

async function startFarZms(servers: FaultServers, options: { wrapper: readonly string[] }) {
  const { process: child, port, opsUrl } = await servers.start('zms', options)
  const { ca, cert, key } = servers
  const agent = new Agent({ keepAlive: false, ca, cert, key })
  const url = `https://${network.address(FAR, 'clients')}:${port}/zms/v1`
  return new RunningFaultServer(child, { url, port, opsUrl, agent })
}

/** Whether somebody waits for news of a server at the other end, by its own word. */
async function isWaiting({ opsUrl }: RunningFaultServer): Promise<boolean> {
  const script = `process.stdout.write(await (await fetch('${opsUrl}/metrics')).text())`
  const [command, ...args] = network.command(FAR, [process.execPath, '--input-type=module', '-e', script])
  return (await run(command, args)).stdout.includes('athenz_http_requests_in_flight{phase="waiting"} 1')
}

const shell = (script: string): [string, string[]] => {
  const [command, ...args] = network.command(FAR, ['sh', '-c', script])
  return [command, args]
}

/** Whether a port at the other end has connections that are established, or whose end is not confirmed. */
async function hasConnections(port: number): Promise<boolean> {
  const { stdout } = await run(...shell('cat /proc/self/net/tcp /proc/self/net/tcp6'))
  const local = port.toString(16).toUpperCase().padStart(4, '0')
  return new RegExp(`^ *\\d+: [0-9A-F]+:${local} \\S+ (01|04|05|0B) `, 'm').test(stdout)
}

async function addRole(zms: RunningFaultServer, name: string): Promise<void> {
  const body = { name, roleMembers: [{ memberName: 'user.seen' }] }
  let status = 0
  await until(
    async () => {
      status = await zms.ask('PUT', `/domain/faults/role/${name}`, body, 5_000).then(
        (answer) => answer.status,
        () => 0,
      )
      return status === 204
    },
    { timeoutMillis: 60_000, what: `that ZMS takes ${name} (last status ${status})` },
  )
}

async function knows(zts: RunningFaultServer, role: string, timeoutMillis: number): Promise<void> {
  await until(
    async () => {
      assert.equal((await zts.readiness()).status, 200)
      const { status, body } = await zts.ask('GET', '/access/domain/faults/principal/user.seen')
      return status === 200 && (body as { roles: string[] }).roles.includes(role)
    },
    { timeoutMillis, what: `that ZTS knows ${role}` },
  )
}

/** Starts the clients at the other end of the cable; resolves when all are where they should be. */
async function startFar(order: VanishingOrder): Promise<ChildProcess> {
  const program = join(import.meta.dirname, 'vanishing-clients.ts')
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', program, JSON.stringify(order)]
  const [command, ...args] = network.command(FAR, node)
  const clients = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const ready = once(createInterface(clients.stdout), 'line')
  const ended = once(clients, 'close').then(([status]) => {
    throw new Error(`the clients ended with status ${status}`)
  })
  await Promise.race([ready, ended])
  ended.catch(() => {})
  return clients
}

const seconds = (millis: number): string => (millis / 1000).toFixed(1)

try {
  await using servers = await FaultServers.make(dir, { zts: true })
  const options = { settings: { 'athenz.http_idle_timeout': idleMillis } }
  const running = { zms: await servers.start('zms', options), zts: await servers.start('zts', options) }
  await running.zts.becomes(200)
  const writes = new AcknowledgedWrites(2)
  await writes.prepare(running.zms)
  writes.start(() => running.zms)
  await clientsVanish(servers, running)
  await writes.more(5)
  await writes.stop()
  await writes.assertKept(running.zms)
  say(`meanwhile ${writes.story}`)
  if (isLong) {
    for (const server of Object.values(running)) server.kill('SIGTERM')
    await Promise.all(Object.values(running).map(({ ended }) => ended))
    await zmsVanishes(servers)
  }
} finally {
  network.close()
}
