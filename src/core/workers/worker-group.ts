import cluster, { type Worker } from 'node:cluster'
import { randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import type { Logger } from '../log/logger.ts'
import { Calls } from './calls.ts'
import { portOf } from './message-port.ts'
import { RestartPolicy } from './restart-policy.ts'
import type { SharedCounter } from './shared-counter.ts'
import { closeUndelivered } from './undelivered-connections.ts'
import type { Publication, SeatTerms } from './worker-seat.ts'

/** What a group of workers is started with. */
export interface WorkerGroupOptions {
  readonly workers: number
  /** Inherited by the workers. */
  readonly counter: Pick<SharedCounter, 'fd'>
  /** Is told of every worker before it does anything, to serve its calls. */
  readonly attach: (calls: Calls, number: number) => void
  /** How long a worker may take for its end after it was asked. */
  readonly stopTimeoutMillis: number
  readonly log: Logger
}

/** How a worker is doing. */
export type WorkerState = 'starts' | 'listens' | 'stops' | 'away'

/** The place of one worker, whoever has it. */
interface Place {
  readonly number: number
  state: WorkerState
  worker: Worker | undefined
  calls: Calls | undefined
  /** Why the worker could not start, as it said. */
  reasons: readonly string[]
  timer: NodeJS.Timeout | undefined
}

/** The bytes of which the keys of session tickets are made. */
const SECRET_BYTES = 32

/** Why a group of workers cannot go on. */
export class WorkerFailure extends Error {
  /** What the worker itself said, one line each. */
  readonly reasons: readonly string[]

  constructor(message: string, reasons: readonly string[]) {
    super(message)
    this.name = 'WorkerFailure'
    this.reasons = reasons
  }
}

/**
 * The worker processes of a server, which share its ports. One that ends is started again and takes nothing with it but its
 * own connections; when they end again and again the group gives up.
 */
export class WorkerGroup {
  readonly #options: WorkerGroupOptions
  readonly #places: readonly Place[]
  readonly #policy: RestartPolicy
  readonly #ticketSecret = randomBytes(SECRET_BYTES)
  readonly #started = Promise.withResolvers<readonly AddressInfo[]>()
  readonly #gaveUp = Promise.withResolvers<WorkerFailure>()
  readonly #stopping = new AbortController()
  #isRunning = false
  #restarts = 0

  /**
   * Starts the workers; resolves when all of them listen. Rejects with a WorkerFailure, and leaves none, when one of them
   * cannot.
   */
  static async start(options: WorkerGroupOptions): Promise<WorkerGroup> {
    cluster.setupPrimary({
      // Buffers, maps and sets cross the channel as they are.
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', options.counter.fd],
    })
    const group = new WorkerGroup(options)
    for (const place of group.#places) group.#fork(place)
    try {
      await group.#started.promise
      return group
    } catch (error) {
      await group.stop()
      throw error
    }
  }

  private constructor(options: WorkerGroupOptions) {
    this.#options = options
    this.#policy = new RestartPolicy({ workers: options.workers, now: () => performance.now() })
    this.#places = Array.from({ length: options.workers }, (_, index) => ({
      number: index + 1,
      state: 'away',
      worker: undefined,
      calls: undefined,
      reasons: [],
      timer: undefined,
    }))
  }

  /** Where the workers listen. */
  get addresses(): Promise<readonly AddressInfo[]> {
    return this.#started.promise
  }

  /** Resolves when the workers end again and again. */
  get gaveUp(): Promise<WorkerFailure> {
    return this.#gaveUp.promise
  }

  /** Aborted when the group is asked to stop. */
  get stopping(): AbortSignal {
    return this.#stopping.signal
  }

  /** How many workers have been started in the place of others. */
  get restarts(): number {
    return this.#restarts
  }

  /** How the workers are doing, by number. */
  get states(): ReadonlyMap<number, WorkerState> {
    return new Map(this.#places.map(({ number, state }) => [number, state]))
  }

  /** Asks every worker that listens the same; one that cannot answer is left out. */
  async ask<T>(method: string): Promise<Map<number, T>> {
    const answers = new Map<number, T>()
    const asked = this.#places.map(async ({ number, state, calls }) => {
      if (state !== 'listens' || calls === undefined) return
      const answer = await calls.call<T>(method).then(
        (value) => ({ value }),
        () => undefined,
      )
      if (answer) answers.set(number, answer.value)
    })
    await Promise.all(asked)
    return answers
  }

  /** Lets every worker finish its requests and end; one that does not in time is ended. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.all(this.#places.map((place) => this.#stopPlace(place)))
  }

  async #stopPlace(place: Place): Promise<void> {
    clearTimeout(place.timer)
    const { worker, calls } = place
    if (worker === undefined || worker.isDead()) return
    const ended = new Promise((resolve) => worker.process.once('exit', resolve))
    place.state = 'stops'
    calls?.notify('stop')
    const timer = setTimeout(() => {
      this.#options.log.error({ worker: place.number }, 'a worker did not stop in time and is ended')
      worker.process.kill('SIGKILL')
    }, this.#options.stopTimeoutMillis)
    await ended
    clearTimeout(timer)
  }

  #fork(place: Place): void {
    const worker = cluster.fork()
    closeUndelivered(worker.process)
    const calls = new Calls(portOf(worker))
    place.worker = worker
    place.calls = calls
    place.state = 'starts'
    place.reasons = []
    calls.serve('group', {
      join: (): SeatTerms => {
        // What is said before a process listens to its channel is lost.
        if (place.state === 'stops') calls.notify('stop')
        return { number: place.number, count: this.#places.length, ticketSecret: this.#ticketSecret }
      },
      failed: (reasons: readonly string[]) => {
        place.reasons = reasons
      },
    })
    calls.on('publish', ({ topic, value }: Publication) => this.#publish(place, topic, value))
    calls.on('listening', (addresses: readonly AddressInfo[]) => this.#listens(place, addresses))
    this.#options.attach(calls, place.number)
    worker.process.once('exit', (status, signal) => this.#ended(place, worker, status, signal))
    // It could not be started, or its channel broke: its end tells.
    worker.on('error', (error) => this.#options.log.error({ err: error, worker: place.number }, 'a worker failed'))
  }

  #publish(from: Place, topic: string, value: unknown): void {
    for (const place of this.#places) if (place !== from) place.calls?.notify(topic, value)
  }

  #listens(place: Place, addresses: readonly AddressInfo[]): void {
    if (place.state !== 'starts') return
    place.state = 'listens'
    this.#options.log.info({ worker: place.number, process: place.worker?.process.pid }, 'a worker listens')
    if (this.#isRunning || this.#places.some(({ state }) => state !== 'listens')) return
    this.#isRunning = true
    this.#started.resolve(addresses)
  }

  #ended(place: Place, worker: Worker, status: number | null, signal: NodeJS.Signals | null): void {
    if (place.worker !== worker) return
    place.worker = undefined
    place.calls = undefined
    place.state = 'away'
    if (this.#stopping.signal.aborted) return
    const { log } = this.#options
    const { number, reasons } = place
    const end = signal === null ? `it ended with status ${status}` : `it was ended by ${signal}`
    if (!this.#isRunning) {
      this.#started.reject(new WorkerFailure(`worker ${number} did not start: ${end}`, reasons))
      return
    }
    const delayMillis = this.#policy.ended()
    if (delayMillis === undefined) {
      this.#gaveUp.resolve(new WorkerFailure(`the workers end again and again; of worker ${number}: ${end}`, reasons))
      return
    }
    log.error({ worker: number, end, reasons, delayMillis }, 'a worker has ended; another one takes its place')
    place.timer = setTimeout(() => {
      this.#restarts++
      this.#fork(place)
    }, delayMillis)
  }
}
