import { AssertionError } from 'node:assert'
import { readFile } from 'node:fs/promises'
import { Agent, request } from 'node:https'
import type { DevSummary } from '../../src/cli/dev-announcement.ts'

/** However busy the machine is: who waits longer waits for ever. */
const ANSWER_MILLIS = 45_000

/** An answer on a kept connection. */
export interface KeptAnswer {
  readonly status: number
  readonly body: unknown
}

/** One connection to a server, kept from request to request as long as it lives: all of them reach the same worker. */
export class KeptConnection implements Disposable {
  readonly #base: string
  readonly #agent: Agent

  /** @param base URL of the REST interface */
  constructor(base: string, identity: { readonly ca: string; readonly cert: string; readonly key: string }) {
    this.#base = base
    this.#agent = new Agent({ ...identity, keepAlive: true, maxSockets: 1 })
  }

  /** Asks; rejects when the connection breaks before the whole answer is there. */
  ask(method: string, path: string, body?: object): Promise<KeptAnswer> {
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'y-audit-ref': 'kept' }
      const asked = request(`${this.#base}${path}`, { method, headers, agent: this.#agent }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part
        })
        response.once('error', reject)
        response.once('end', () => {
          resolve({ status: response.statusCode ?? 0, body: text === '' ? undefined : JSON.parse(text) })
        })
      })
      asked.once('error', reject)
      asked.setTimeout(ANSWER_MILLIS, () => {
        const { localPort, connecting, bytesWritten, bytesRead } = asked.socket ?? {}
        const state = JSON.stringify({ localPort, connecting, bytesWritten, bytesRead })
        reject(new AssertionError({ message: `${method} ${path} was not answered in ${ANSWER_MILLIS} ms: ${state}` }))
        asked.destroy()
      })
      asked.end(body && JSON.stringify(body))
    })
  }

  [Symbol.dispose](): void {
    this.#agent.destroy()
  }
}

/** Who administers the servers of a development folder. */
export async function administrator({ ca, adminCert, adminKey }: DevSummary) {
  const [caText, cert, key] = await Promise.all([ca, adminCert, adminKey].map((file) => readFile(file, 'utf8')))
  return { ca: caText as string, cert: cert as string, key: key as string }
}

/** Process numbers of the workers of a server, by the children of its process. */
export async function workersOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  return text.split(' ').filter(Boolean).map(Number)
}

/** Whether there is such a process. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Values of a metric on an operations port, by its labels as they are written there. */
export async function metricOf(opsPort: number, name: string): Promise<Map<string, number>> {
  const answer = await fetch(`http://127.0.0.1:${opsPort}/metrics`)
  const found = new Map<string, number>()
  for (const line of (await answer.text()).split('\n')) {
    if (!line.startsWith(name)) continue
    const [left = '', value = ''] = line.slice(name.length).split(' ')
    if (left === '' || left.startsWith('{')) found.set(left, Number(value))
  }
  return found
}
