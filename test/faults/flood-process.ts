// The process of a flood (flood.ts): is told what to do, says when it is under way, and, when it is told to stop, what came
// of it.
import { once } from 'node:events'
import { connect as connectTls, createSecureContext } from 'node:tls'
import type { FloodCounts, FloodOptions } from './flood.ts'
import { PipeliningClient } from './pipelining-client.ts'

const [options] = (await once(process, 'message')) as [FloodOptions]
const over = new AbortController()
process.once('message', () => over.abort())
process.send?.(await (options.request === undefined ? openConnections() : sendRequests(options.request)))

async function sendRequests(request: string): Promise<FloodCounts> {
  const { connections, pipelined = 1, port, from, ca, cert, key } = options
  const batch = Array.from({ length: pipelined }, () => request)
  const clients = await Promise.all(
    Array.from({ length: connections }, () =>
      PipeliningClient.connect({
        host: '127.0.0.1',
        port,
        localAddress: from,
        ca,
        ...(cert !== undefined && key !== undefined && { cert, key }),
      }),
    ),
  )
  process.send?.('begun')
  const bodies: Record<number, string> = {}
  await Promise.all(
    clients.map(async (client) => {
      while (!over.signal.aborted && client.isOpen) {
        client.send(batch)
        await client.settled()
        bodies[client.story.statuses.at(-1) ?? 0] = client.body
      }
    }),
  )
  const statuses: Record<number, number> = {}
  let unanswered = 0
  for (const { story } of clients) {
    unanswered += story.sent - story.statuses.length
    for (const status of story.statuses) statuses[status] = (statuses[status] ?? 0) + 1
  }
  for (const client of clients) client.destroy()
  return { statuses, bodies, unanswered, established: connections, cut: 0 }
}

async function openConnections(): Promise<FloodCounts> {
  const { connections, port, from, ca, cert, key } = options
  const secureContext = createSecureContext({ ca, ...(cert && { cert }), ...(key && { key }) })
  let [established, cut] = [0, 0]
  /** Whether the handshake came to its end. */
  const isTaken = () =>
    new Promise<boolean>((resolve) => {
      const where = { host: '127.0.0.1', port, localAddress: from, servername: 'localhost', secureContext }
      const socket = connectTls(where, () => {
        resolve(true)
        socket.destroy()
      })
      socket.on('error', () => {}).on('close', () => resolve(false))
    })
  process.send?.('begun')
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (!over.signal.aborted) {
        if (await isTaken()) established++
        else cut++
      }
    }),
  )
  return { statuses: {}, bodies: {}, unanswered: 0, established, cut }
}
