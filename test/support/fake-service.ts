import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after } from 'node:test'

/** What a fake service saw of a request. */
export interface SeenRequest {
  readonly method: string
  /** Path and query. */
  readonly target: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Answers one request; `count` is 1 for the first. */
export type FakeAnswer = (response: ServerResponse, request: SeenRequest, count: number) => void

/** A service of somebody else, on a free port of this machine. */
export interface FakeService {
  readonly seen: readonly SeenRequest[]
  /** Without a final slash. */
  readonly url: string
  /** Changes what is answered from now on. */
  answer: FakeAnswer
  close(): void
}

/** Answers with a status and JSON. */
export const jsonAnswer =
  (value: unknown, status = 200): FakeAnswer =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
  }

/** Starts a service that ends with the test. */
export async function startFakeService(answer: FakeAnswer): Promise<FakeService> {
  const seen: SeenRequest[] = []
  const server = createServer((request, response) => {
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('end', () => {
      const { method = '', url = '', headers } = request
      const each: SeenRequest = { method, target: url, headers, body: Buffer.concat(pieces).toString() }
      seen.push(each)
      service.answer(response, each, seen.length)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = () => {
    server.closeAllConnections()
    server.close()
  }
  after(close)
  const { port } = server.address() as AddressInfo
  const service: FakeService = { seen, url: `http://127.0.0.1:${port}`, answer, close }
  return service
}
