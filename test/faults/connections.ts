import assert from 'node:assert/strict'
import { readdir, readlink } from 'node:fs/promises'
import { connect as connectPlain, type Socket } from 'node:net'
import tls from 'node:tls'
import { until } from '../support/until.ts'
import { AcknowledgedWrites } from './acknowledged-writes.ts'
import type { Fault } from './fault.ts'
import { FaultServers, type RunningFaultServer } from './fault-servers.ts'

/** Until the time limits for handshakes, headers and idle connections have passed, and were looked at. */
const LIMITS_MILLIS = 60_000
const DRIBBLE_MILLIS = 1_000

/** Clients open connections and do nothing proper with them. */
export const connections: Fault = {
  name: 'connections',
  what: 'floods of connections: silent before TLS, silent after it, headers and bodies that come a byte a second',
  async attempt({ dir, size, report }) {
    const each = size === 'long' ? 500 : 100
    await using servers = await FaultServers.make(dir)
    const zms = await servers.start('zms')
    const { ca, cert, key } = servers
    const { port } = zms
    const writes = new AcknowledgedWrites(2)
    await writes.prepare(zms)
    writes.start(() => zms)
    await writes.more(5)
    const quiet = await socketsOf(zms.pid)
    const options = { host: '127.0.0.1', port, ca, cert, key, servername: 'localhost' }
    const head = 'PUT /zms/v1/domain/faults/role/w0 HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n'
    const kinds: Readonly<Record<string, () => { socket: Socket; dribble?: string }>> = {
      'silent before TLS': () => ({ socket: connectPlain(port, '127.0.0.1') }),
      'silent after TLS': () => ({ socket: tls.connect(options) }),
      'slow headers': () => ({ socket: started(options, head), dribble: 'x-slow: '.repeat(20) }),
      // Only the time limit for whole requests, two minutes, is about these.
      ...(size === 'long' && {
        'slow bodies': () => ({
          socket: started(options, `${head}content-length: 1000\r\n\r\n`),
          dribble: ' '.repeat(1000),
        }),
      }),
    }
    const opened = Object.values(kinds).flatMap((make) => Array.from({ length: each }, make))
    let closed = 0
    for (const { socket } of opened) {
      socket.on('error', () => {}).on('close', () => closed++)
      // Who does not read does not see the end.
      socket.resume()
    }
    const dribbling = setInterval(() => dribble(opened), DRIBBLE_MILLIS)
    let slowest = 0
    try {
      await until(async () => (await socketsOf(zms.pid)) > quiet + opened.length / 2, {
        timeoutMillis: LIMITS_MILLIS,
        what: 'that all are connected',
      })
      await until(
        async () => {
          slowest = Math.max(slowest, await answerMillis(zms))
          return closed === opened.length
        },
        { timeoutMillis: size === 'long' ? 4 * LIMITS_MILLIS : 2 * LIMITS_MILLIS, what: 'that all are cut off' },
      )
    } finally {
      clearInterval(dribbling)
      for (const { socket } of opened) socket.destroy()
    }
    assert.equal((await zms.readiness()).status, 200)
    await until(async () => (await socketsOf(zms.pid)) < quiet + 20, { what: 'that their sockets are given back' })
    assert.equal(await zms.metric('athenz_http_requests_in_flight', '{phase="arriving"}'), 0)
    await writes.more(5)
    await writes.stop()
    await writes.assertKept(zms)
    report(
      `${opened.length} connections (${Object.keys(kinds).join(', ')}), all cut off; good clients waited ${Math.round(slowest)} ms at most, ${writes.story}`,
    )
  },
}

/** A connection on which the beginning of a request is sent. */
function started(options: tls.ConnectionOptions, text: string): Socket {
  const socket = tls.connect(options)
  socket.once('secureConnect', () => socket.write(text))
  return socket
}

/** Sends the next byte of everybody. */
function dribble(opened: { socket: Socket; dribble?: string }[]): void {
  for (const each of opened) {
    if (each.dribble === undefined || each.dribble === '' || !each.socket.writable) continue
    if (each.socket instanceof tls.TLSSocket && !each.socket.authorized) continue
    each.socket.write(each.dribble.slice(0, 1))
    each.dribble = each.dribble.slice(1)
  }
}

async function answerMillis(server: RunningFaultServer): Promise<number> {
  const start = performance.now()
  assert.equal((await server.ask('GET', '/status')).status, 200)
  return performance.now() - start
}

/** Sockets that a process has open. */
async function socketsOf(pid: number): Promise<number> {
  const folder = `/proc/${pid}/fd`
  const links = await Promise.all((await readdir(folder)).map((fd) => readlink(`${folder}/${fd}`).catch(() => '')))
  return links.filter((link) => link.startsWith('socket:')).length
}
