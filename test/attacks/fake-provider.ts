import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { AttackedServers } from './attacked-servers.ts'
import { clientAuthority, issued, LEAF } from './issued-certificates.ts'

/** What ZTS asks a provider. */
type Question = Readonly<Record<string, unknown>>

/** A provider of instances behind HTTPS, which answers what the test says. */
export class FakeProvider implements Disposable {
  /** Status, body and headers for a question. */
  answer: (question: Question) => readonly [status: number, body: unknown, headers?: Readonly<Record<string, string>>] =
    (question) => [200, question]
  readonly asked: Question[] = []
  readonly port: number
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
    this.port = (server.address() as AddressInfo).port
    server.on('request', (request, response) => {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part))
      request.on('end', () => {
        const question = JSON.parse(Buffer.concat(parts).toString()) as Question
        this.asked.push(question)
        const [status, body, headers = {}] = this.answer(question)
        response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
      })
    })
  }

  /** Starts one that has a certificate of the service `name`. */
  static async start({ summary }: AttackedServers, name: string): Promise<FakeProvider> {
    const { certificate, key } = await issued(await clientAuthority(summary), name, {
      ...LEAF,
      extendedKeyUsage: ['serverAuth'],
    })
    const server = createServer({ cert: certificate, key })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new FakeProvider(server)
  }

  [Symbol.dispose](): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}
