import { Agent, request } from 'node:https'
import { CommandFailure } from './command-failure.ts'

/** Who asks ZMS, and whom ZMS must be; PEM texts. */
export interface ZmsCredential {
  readonly ca: string
  readonly certificate: string
  readonly key: string
}

const ANSWER_TIMEOUT_MILLIS = 30_000

/**
 * Asks ZMS with a client certificate. What ZMS refuses is a CommandFailure with its reason. Between the starts of the two
 * servers a handful of questions is asked: with what every Node.js has, because loading the client library, its types and its
 * HTTP library takes longer than all of them.
 */
export class DevZmsClient {
  readonly #url: string
  readonly #agent: Agent

  /** `url` is the base of its REST interface. */
  constructor(url: string, { ca, certificate, key }: ZmsCredential) {
    this.#url = url
    this.#agent = new Agent({ ca, cert: certificate, key, keepAlive: true })
  }

  /** The JSON at a path; undefined when there is none (404). */
  async read(path: string): Promise<unknown> {
    const { status, text } = await this.#ask('GET', path)
    if (status === 404) return undefined
    if (status !== 200) throw this.#refused('GET', path, status, text)
    return JSON.parse(text)
  }

  async write(path: string, body: object): Promise<void> {
    const { status, text } = await this.#ask('PUT', path, body)
    if (status >= 300) throw this.#refused('PUT', path, status, text)
  }

  close(): void {
    this.#agent.destroy()
  }

  #refused(method: string, path: string, status: number, text: string): CommandFailure {
    return new CommandFailure(`ZMS answers ${method} ${path} with ${status}: ${text.slice(0, 500)}`)
  }

  #ask(method: 'GET' | 'PUT', path: string, body?: object): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const headers = body && { 'content-type': 'application/json' }
      const options = { method, agent: this.#agent, headers, timeout: ANSWER_TIMEOUT_MILLIS }
      const asked = request(this.#url + path, options, (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (part: string) => {
          text += part
        })
        response.once('end', () => resolve({ status: response.statusCode ?? 0, text }))
        response.once('error', reject)
      })
      asked.once('timeout', () => asked.destroy(new Error(`no answer within ${ANSWER_TIMEOUT_MILLIS / 1000} s`)))
      asked.once('error', (error) => reject(new CommandFailure(`cannot ask ZMS: ${error.message}`)))
      asked.end(body && JSON.stringify(body))
    })
  }
}
