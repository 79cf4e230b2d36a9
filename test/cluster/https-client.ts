import { readFile } from 'node:fs/promises'
import { Agent, request } from 'node:https'
import type { DevSummary } from '../../src/cli/dev-announcement.ts'

/** What a server answered. */
export interface Answer {
  readonly status: number
  readonly body: unknown
}

/** Asks servers as the system administrator, over connections that are kept. */
export class HttpsClient {
  readonly #agent: Agent
  readonly #timeoutMillis: number

  private constructor(agent: Agent, timeoutMillis: number) {
    this.#agent = agent
    this.#timeoutMillis = timeoutMillis
  }

  static async open({ ca, adminCert, adminKey }: DevSummary, timeoutMillis: number): Promise<HttpsClient> {
    const files = await Promise.all([ca, adminCert, adminKey].map((file) => readFile(file)))
    const [trusted, cert, key] = files
    return new HttpsClient(new Agent({ keepAlive: true, ca: trusted, cert, key }), timeoutMillis)
  }

  /** The answer to a request; rejects when there is none in time: then nobody knows what became of it. */
  ask(url: string, method: string, body?: object): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', accept: 'application/json' }
      const signal = AbortSignal.timeout(this.#timeoutMillis)
      const asked = request(url, { method, headers, agent: this.#agent, signal }, (response) => {
        const parts: Buffer[] = []
        response.on('data', (part: Buffer) => parts.push(part))
        response.once('error', reject)
        response.once('end', () => {
          const text = Buffer.concat(parts).toString()
          resolve({ status: response.statusCode ?? 0, body: text === '' ? undefined : (JSON.parse(text) as unknown) })
        })
      })
      asked.once('error', reject)
      asked.end(body && JSON.stringify(body))
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}
