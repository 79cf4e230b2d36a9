import assert from 'node:assert/strict'
import { connect as connectPlain, type Socket } from 'node:net'
import tls from 'node:tls'
import { until } from '../support/until.ts'
import { AcknowledgedWrites } from './acknowledged-writes.ts'
import type { Fault } from './fault.ts'
import { type FaultServerName, FaultServers, type RunningFaultServer } from './fault-servers.ts'
import { answerMillis, socketsOf } from './open-sockets.ts'

/** Until the time limits for handshakes, headers and idle connections have passed, and were looked at. */
const LIMITS_MILLIS = 60_000
const DRIBBLE_MILLIS = 1_000
/**
 * Connections that are begun at the same time. What is tried is how long they may stay, not how fast they may come: against
 * that there are limits of rates and the shedding of load, and neither cuts connections of this machine.
 */
const BEGUN_AT_ONCE = 16
const SERVERS = ['zms', 'zts'] as const

/** Clients open connections and do nothing proper with them. */
export const connections: Fault = {
  name: 'connections',
  what: 'floods of connections at both servers: silent, slow, or half closed, before TLS, after it, and within requests',
  async attempt({ dir, size, report }) {
    const each = size === 'long' ? 250 : 40
    await using servers = await FaultServers.make(dir, { zts: true })
    const zms = await servers.start('zms')
    const zts = await servers.start('zts')
    await zts.becomes(200)
    const running = { zms, zts }
    const writes = new AcknowledgedWrites(2)
    await writes.prepare(zms)
    writes.start(() => zms)
    await writes.more(5)
    // Only the time limit for whole requests, two minutes, is about slow bodies.
    const kinds = KINDS.filter(({ isLong }) => size === 'long' || !isLong)
    const endsOf = (name: FaultServerName) =>
      new BadConnections(servers, running[name], { ...TARGETS[name], kinds, each }).run()
    const ends = await Promise.all(SERVERS.map(endsOf))
    await writes.more(5)
    await writes.stop()
    await writes.assertKept(zms)
    for (const [index, name] of SERVERS.entries()) report(`${name}: ${ends[index]}`)
    report(`each of: ${kinds.map(({ what }) => what).join(', ')}; ${writes.story}`)
  },
}

/** The head of a request with a body, and a whole request. */
interface Target {
  readonly head: string
  readonly request: string
}

const TARGETS: Readonly<Record<FaultServerName, Target>> = {
  zms: {
    head: 'PUT /zms/v1/domain/faults/role/w0 HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n',
    request: 'GET /zms/v1/domain/faults/role/w0 HTTP/1.1\r\nhost: localhost\r\n\r\n',
  },
  zts: {
    head: 'POST /zts/v1/oauth2/token HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-www-form-urlencoded\r\n',
    request: 'GET /zts/v1/domain/sys.auth/signed_policy_data HTTP/1.1\r\nhost: localhost\r\n\r\n',
  },
}

/** What is wrong with a connection. */
interface Kind {
  readonly what: string
  /** Without TLS. */
  readonly isPlain?: boolean
  /** What is sent at once. */
  readonly begin?: (target: Target) => string
  /** What is sent a byte a second. */
  readonly dribble?: string
  /** Whether the client then says that it sends no more (FIN), and goes on reading. */
  readonly isHalfClosed?: boolean
  readonly isLong?: boolean
}

const KINDS: readonly Kind[] = [
  { what: 'silent before TLS', isPlain: true },
  { what: 'silent after TLS' },
  { what: 'slow headers', begin: ({ head }) => head, dribble: 'x-slow: '.repeat(20) },
  {
    what: 'slow bodies',
    begin: ({ head }) => `${head}content-length: 1000\r\n\r\n`,
    dribble: ' '.repeat(1000),
    isLong: true,
  },
  { what: 'half closed before TLS', isPlain: true, isHalfClosed: true },
  { what: 'half closed after TLS', isHalfClosed: true },
  { what: 'half closed within headers', begin: ({ head }) => head, isHalfClosed: true },
  {
    what: 'half closed within a body',
    begin: ({ head }) => `${head}content-length: 1000\r\n\r\n{`,
    isHalfClosed: true,
  },
  { what: 'half closed behind a request', begin: ({ request }) => request, isHalfClosed: true },
]

/** Statuses that bad clients are told, if they are told anything: the answer, a broken request, one that took too long. */
const TOLD = new Set(['200', '400', '408'])

interface Opened {
  readonly socket: Socket
  dribble: string
}

/** Connections of all kinds to one server, until the last one is cut off. */
class BadConnections {
  readonly #servers: FaultServers
  readonly #server: RunningFaultServer
  readonly #options: Target & { readonly kinds: readonly Kind[]; readonly each: number }
  readonly #opened: Opened[] = []
  readonly #told = new Map<string, number>()
  #closed = 0

  constructor(
    servers: FaultServers,
    server: RunningFaultServer,
    options: Target & { readonly kinds: readonly Kind[]; readonly each: number },
  ) {
    this.#servers = servers
    this.#server = server
    this.#options = options
  }

  /** Gives what came of it, in one line. */
  async run(): Promise<string> {
    const { kinds, each } = this.#options
    const { pid } = this.#server
    const quiet = await socketsOf(pid)
    const all = kinds.length * each
    // One of each kind after the other, so that all kinds are there at the same time.
    const queue = Array.from({ length: all }, (_, index) => kinds[index % kinds.length] as Kind).values()
    const work = async () => {
      for (const kind of queue) await this.#open(kind)
    }
    const opening = Promise.all(Array.from({ length: BEGUN_AT_ONCE }, work))
    const dribbling = setInterval(() => dribble(this.#opened), DRIBBLE_MILLIS)
    let [slowest, most] = [0, 0]
    try {
      await until(
        async () => {
          slowest = Math.max(slowest, await answerMillis(this.#server))
          most = Math.max(most, (await socketsOf(pid)) - quiet)
          return this.#closed === all
        },
        { timeoutMillis: (all > 1_000 ? 4 : 2) * LIMITS_MILLIS, what: 'that all are cut off' },
      )
      await opening
    } finally {
      clearInterval(dribbling)
      for (const { socket } of this.#opened) socket.destroy()
    }
    assert.ok(most > each, `no more than ${most} connections were there at the same time`)
    const told = [...this.#told].map(([status, times]) => `${times} × ${status}`).toSorted()
    assert.deepEqual(
      [...this.#told.keys()].filter((status) => !TOLD.has(status)),
      [],
      told.join(', '),
    )
    assert.equal((await this.#server.readiness()).status, 200)
    await until(async () => (await socketsOf(pid)) < quiet + 20, { what: 'that their sockets are given back' })
    await until(async () => (await this.#server.metric('athenz_http_requests_in_flight', '{phase="arriving"}')) === 0, {
      what: 'that no request is arriving',
    })
    return `${all} connections, ${most} of them at the same time, all cut off (told ${told.join(', ')}); good clients waited ${Math.round(slowest)} ms at most`
  }

  async #open({ isPlain = false, begin, dribble: drops = '', isHalfClosed = false }: Kind): Promise<void> {
    const { ca, cert, key } = this.#servers
    const { port } = this.#server
    const socket = isPlain
      ? connectPlain(port, '127.0.0.1')
      : tls.connect({ host: '127.0.0.1', port, ca, cert, key, servername: 'localhost' })
    this.#opened.push({ socket, dribble: drops })
    const { promise, resolve } = Promise.withResolvers<void>()
    socket
      .on('error', () => {})
      .on('close', () => {
        this.#closed++
        resolve()
      })
    // Who does not read does not see the end.
    socket.on('data', (data: Buffer) => {
      const status = /^HTTP\/1\.1 (\d{3}) /.exec(data.toString('latin1', 0, 20))?.[1]
      if (status !== undefined) this.#told.set(status, (this.#told.get(status) ?? 0) + 1)
    })
    socket.once(isPlain ? 'connect' : 'secureConnect', () => {
      if (begin) socket.write(begin(this.#options))
      if (isHalfClosed) socket.end()
      resolve()
    })
    await promise
  }
}

/** Sends the next byte of everybody. */
function dribble(opened: Opened[]): void {
  for (const each of opened) {
    if (each.dribble === '' || !each.socket.writable) continue
    if (each.socket instanceof tls.TLSSocket && !each.socket.authorized) continue
    each.socket.write(each.dribble.slice(0, 1))
    each.dribble = each.dribble.slice(1)
  }
}
