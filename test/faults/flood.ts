import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** A client that does more than it should. */
export interface FloodOptions {
  /** Port on this machine. */
  readonly port: number
  /** Address on this machine from which it comes: each is a client of its own. */
  readonly from: string
  readonly ca: Buffer
  /** Client certificate and key; none when absent. */
  readonly cert?: Buffer | string
  readonly key?: Buffer | string
  /** Connections at a time. */
  readonly connections: number
  /** Sent on each of them all the time; when absent, connections are opened, and closed after the handshake. */
  readonly request?: string
  /** Requests that are sent at once, without waiting for answers. */
  readonly pipelined?: number
}

/** What came of a flood. */
export interface FloodCounts {
  /** How often each status was the answer. */
  readonly statuses: Readonly<Record<number, number>>
  /** Body of the last answer with each status. */
  readonly bodies: Readonly<Record<number, string>>
  /** Requests without an answer. */
  readonly unanswered: number
  /** Connections whose handshake came to its end, and those that were cut before. */
  readonly established: number
  readonly cut: number
}

/** A flood from a process of its own, so that it does not delay those who measure. */
export class Flood implements Disposable {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  /** Begins; resolves when it is under way. */
  static async start(options: FloodOptions): Promise<Flood> {
    const child = fork(join(import.meta.dirname, 'flood-process.ts'), {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      serialization: 'advanced',
    })
    const flood = new Flood(child)
    child.send(options)
    await flood.#next()
    return flood
  }

  /** Sends nothing more; what came of what was sent, once it is known of all of it. */
  async stop(): Promise<FloodCounts> {
    this.#child.send('stop')
    const counts = (await this.#next()) as FloodCounts
    this.#child.disconnect()
    return counts
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL')
  }

  async #next(): Promise<unknown> {
    const ended = once(this.#child, 'exit').then(([status]) => {
      throw new Error(`the flood ended with status ${String(status)}`)
    })
    const [message] = (await Promise.race([once(this.#child, 'message'), ended])) as [unknown]
    return message
  }
}
