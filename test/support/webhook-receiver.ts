import { once } from 'node:events'
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { after } from 'node:test'

/** A request that arrived. */
export interface Delivery {
  readonly headers: IncomingHttpHeaders
  readonly path: string | undefined
  readonly body: string
}

/** Answers the request that arrived as the `count`th. */
export type Answer = (response: ServerResponse, count: number) => void

/** Answers with one status after the other, the last one again and again. */
export const withStatus =
  (...statuses: number[]): Answer =>
  (response, count) =>
    void response.writeHead(statuses[count - 1] ?? statuses.at(-1) ?? 200).end('whatever')

/** A receiver of webhooks on this machine, over TLS; closed with the test or file that starts it. */
export async function startReceiver({ key, cert }: { key: string; cert: string }, answer: Answer) {
  const deliveries: Delivery[] = []
  const server = createServer({ key, cert }, (request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text
    })
    request.on('end', () => {
      deliveries.push({ headers: request.headers, path: request.url, body })
      server.emit('delivery')
      answer(response, deliveries.length)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const received = async (count: number) => {
    while (deliveries.length < count) await once(server, 'delivery')
  }
  return { deliveries, received, url: new URL(`https://localhost:${port}/hook?team=1`) }
}
