import { setTimeout as pause } from 'node:timers/promises'
import { percentile } from '../bench/statistics.ts'
import type { FaultServers, RunningFaultServer } from './fault-servers.ts'
import { PipeliningClient } from './pipelining-client.ts'

/** How many there are, and how long each waits after an answer. */
const CLIENTS = 4
const PAUSE_MILLIS = 20

/** What they were answered. */
export interface GoodAnswers {
  readonly count: number
  /** Milliseconds within which half of the answers, and 99 of 100, were there. */
  readonly p50Millis: number
  readonly p99Millis: number
  readonly statuses: Readonly<Record<number, number>>
}

/** Clients that behave: each has one connection and one request at a time, and comes from an address of its own. */
export class GoodClients implements Disposable {
  readonly #clients: readonly PipeliningClient[]
  readonly #work: Promise<unknown>
  #isOver = false
  #millis: number[] = []
  #statuses: Record<number, number> = {}

  private constructor(clients: readonly PipeliningClient[], request: string) {
    this.#clients = clients
    this.#work = Promise.all(clients.map((client) => this.#ask(client, request)))
    // Told by `stop`.
    this.#work.catch(() => {})
  }

  /** Begins to ask as the administrator. */
  static async start(
    { ca, cert, key }: Pick<FaultServers, 'ca' | 'cert' | 'key'>,
    { port }: Pick<RunningFaultServer, 'port'>,
    request: string,
  ): Promise<GoodClients> {
    const connect = (_: unknown, at: number) =>
      PipeliningClient.connect({ host: '127.0.0.1', port, localAddress: `127.0.1.${at + 1}`, ca, cert, key })
    return new GoodClients(await Promise.all(Array.from({ length: CLIENTS }).map(connect)), request)
  }

  /** What was answered since the last time. */
  take(): GoodAnswers {
    const ascending = this.#millis.toSorted((one, other) => one - other)
    const taken = {
      count: ascending.length,
      p50Millis: percentile(ascending, 0.5),
      p99Millis: percentile(ascending, 0.99),
      statuses: this.#statuses,
    }
    this.#millis = []
    this.#statuses = {}
    return taken
  }

  /** Lets the requests under way come to their end; rejects when one was not answered. */
  async stop(): Promise<void> {
    this.#isOver = true
    await this.#work
  }

  [Symbol.dispose](): void {
    this.#isOver = true
    for (const client of this.#clients) client.destroy()
  }

  async #ask(client: PipeliningClient, request: string): Promise<void> {
    while (!this.#isOver) {
      const start = performance.now()
      client.send([request])
      await client.settled()
      const { statuses, sent } = client.story
      if (statuses.length < sent) {
        if (this.#isOver) return
        throw new Error('a good client was not answered: its connection has ended')
      }
      const status = statuses.at(-1) ?? 0
      this.#millis.push(performance.now() - start)
      this.#statuses[status] = (this.#statuses[status] ?? 0) + 1
      await pause(PAUSE_MILLIS)
    }
  }
}

/** In words. */
export const waitText = ({ p50Millis, p99Millis }: GoodAnswers): string =>
  `p50 ${p50Millis.toFixed(1)} ms, p99 ${p99Millis.toFixed(1)} ms`
