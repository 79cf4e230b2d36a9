import type { AddressInfo } from 'node:net'
import type { ProcessReport } from '../http/ops-report.ts'
import { Calls } from './calls.ts'
import type { MessagePort } from './message-port.ts'
import { SharedCounter } from './shared-counter.ts'

/** What a worker gets when it takes its place. */
export interface SeatTerms {
  /** From 1; a worker that takes the place of one that has ended has its number. */
  readonly number: number
  /** How many workers there are. */
  readonly count: number
  /** Of which the keys of TLS session tickets are made, so that any worker resumes the sessions of all. */
  readonly ticketSecret: Uint8Array
}

/** Number of the open file in which workers find the counter; those below are the standard ones and the channel. */
export const COUNTER_FD = 4

/** A worker's place among the processes of its server, and its way to the others. */
export class WorkerSeat implements SeatTerms {
  readonly number: number
  readonly count: number
  readonly ticketSecret: Uint8Array
  /** Calls of the primary process. */
  readonly primary: Calls
  /** Aborted when the primary process asks this worker to stop. */
  readonly stopping: AbortSignal
  /** Set by the primary process, for whatever it and its workers have to agree on at once. */
  readonly counter = new SharedCounter(COUNTER_FD)

  /** Asks the primary process for a place. */
  static async take(port: MessagePort): Promise<WorkerSeat> {
    const primary = new Calls(port)
    const stopping = new AbortController()
    primary.on('stop', () => stopping.abort())
    return new WorkerSeat(primary, stopping.signal, await primary.call<SeatTerms>('group.join'))
  }

  private constructor(primary: Calls, stopping: AbortSignal, { number, count, ticketSecret }: SeatTerms) {
    this.number = number
    this.count = count
    this.ticketSecret = ticketSecret
    this.primary = primary
    this.stopping = stopping
  }

  /** Whether this worker does what is to be done once only. When it ends, so does the one that takes its place. */
  get leads(): boolean {
    return this.number === 1
  }

  /** Tells all other workers something. */
  publish(topic: string, value?: unknown): void {
    this.primary.notify('publish', { topic, value } satisfies Publication)
  }

  /** Calls `listener` with what other workers tell about a topic. */
  subscribe(topic: string, listener: (value: never) => void): void {
    this.primary.on(topic, listener)
  }

  /** Lets the primary process show how this worker is. */
  report(report: Pick<ProcessReport, 'readiness' | 'samples'>): void {
    this.primary.serve('report', {
      readiness: () => report.readiness(),
      metrics: () => report.samples(),
    })
  }

  /** Says where this worker listens. */
  listens(addresses: readonly AddressInfo[]): void {
    this.primary.notify('listening', addresses)
  }

  /** Says why this worker cannot start; resolves when that is on its way. */
  async failed(reasons: readonly string[]): Promise<void> {
    await this.primary.call('group.failed', reasons)
  }
}

/** What a worker tells all others. */
export interface Publication {
  readonly topic: string
  readonly value: unknown
}
