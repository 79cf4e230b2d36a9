import { type ChildProcess, fork } from 'node:child_process'

/** From a process of a pool to the server; an answer has the members of the pool's answers beside these. */
export type PoolReply<Answer extends object> =
  /** It can do its work. */
  | { readonly kind: 'ready' }
  /** It cannot; `reason` says what is missing. It ends after this. */
  | { readonly kind: 'unusable'; readonly reason: string }
  | ({ readonly kind: 'answer'; readonly id: number } & Answer)

/** From the server to a process of a pool. */
export type PoolRequest<Question extends object> = { readonly id: number } & Question

/** How many processes there are, and how long they may take; all have defaults. */
export interface ProcessPoolLimits {
  /** Processes at most (4); they are started when needed. */
  readonly workerMaxCount: number
  /** Questions that may wait for a process (64); more are refused. */
  readonly waitingMaxCount: number
  /** Longest wait for a process, and longest work of a process, which is killed after it (15,000). */
  readonly timeoutMillis: number
  /** An idle process, unless it is the only one, ends after this (60,000). */
  readonly idleMillis: number
}

/** What a pool runs. */
export interface ProcessPoolOptions extends Partial<ProcessPoolLimits> {
  /** What the processes ask, for messages: `PAM`. */
  readonly subject: string
  /** What questions are called in messages: `logins`. */
  readonly work: string
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
  /** Path of the program that each process runs; it speaks {@link PoolRequest} and {@link PoolReply}. */
  readonly program: string
  readonly args?: readonly string[]
  /** Environment beside path and language. Nothing of the server's own is passed on. */
  readonly env?: Readonly<Record<string, string>>
}

/** What came of a question: the answer, or why there is none. */
export type PoolOutcome<Answer extends object> =
  | { readonly answer: Answer }
  | { readonly answer?: undefined; readonly reason: string }

interface Job<Answer extends object> {
  readonly request: PoolRequest<object>
  readonly settle: (outcome: PoolOutcome<Answer>) => void
  readonly overdue: NodeJS.Timeout
}

interface Worker<Answer extends object> {
  readonly process: ChildProcess
  /** Set for the first worker until it is ready. */
  start: { ready: () => void; failed: (error: Error) => void } | undefined
  state: 'starting' | 'idle' | 'busy'
  job: Job<Answer> | undefined
  timer: NodeJS.Timeout | undefined
}

const LIMITS: ProcessPoolLimits = { workerMaxCount: 4, waitingMaxCount: 64, timeoutMillis: 15_000, idleMillis: 60_000 }
const RESTART_MIN_MILLIS = 100
const RESTART_MAX_MILLIS = 30_000
const STOPPING = 'the server is stopping'

/**
 * Puts questions to a library of the system in a few child processes, because its calls block and it may hang or crash.
 * A question goes to a process through its channel only: it is never in an argument, the environment or a log.
 */
export class ProcessPool<Question extends object, Answer extends object> {
  readonly #options: ProcessPoolOptions & ProcessPoolLimits
  readonly #workers = new Set<Worker<Answer>>()
  readonly #waiting: Job<Answer>[] = []
  #stopping = false
  #lastId = 0
  /** Workers that ended since the last answer. */
  #failureCount = 0
  #restart: NodeJS.Timeout | undefined

  constructor(options: ProcessPoolOptions) {
    this.#options = { ...LIMITS, ...options }
  }

  /** Starts the first process. Rejects with an Error that says what is missing when it cannot do its work. */
  start(): Promise<void> {
    return new Promise((ready, failed) => {
      this.#spawn({ ready, failed })
    })
  }

  /** Process ids of the workers. */
  get workerPids(): readonly number[] {
    return [...this.#workers].flatMap(({ process }) => process.pid ?? [])
  }

  /** Asks the next free process. Never rejects. */
  async ask(question: Question): Promise<PoolOutcome<Answer>> {
    const { waitingMaxCount, timeoutMillis, subject, work } = this.#options
    if (this.#stopping) return { reason: STOPPING }
    if (this.#waiting.length >= waitingMaxCount) return { reason: `too many ${work} are waiting` }
    return new Promise((resolve) => {
      const overdue = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(job), 1)
        resolve({ reason: `no ${subject} process was free within ${timeoutMillis} ms` })
      }, timeoutMillis)
      const job: Job<Answer> = { request: { ...question, id: ++this.#lastId }, settle: resolve, overdue }
      this.#waiting.push(job)
      this.#dispatch()
    })
  }

  /** Gives up what is in flight and ends the processes. */
  close(): void {
    this.#stopping = true
    clearTimeout(this.#restart)
    for (const job of this.#waiting.splice(0)) settle(job, { reason: STOPPING })
    for (const worker of this.#workers) this.#retire(worker)
  }

  #dispatch(): void {
    let starting = 0
    for (const worker of this.#workers) {
      if (worker.state === 'starting') starting++
      const job = worker.state === 'idle' ? this.#waiting.shift() : undefined
      if (job !== undefined) this.#assign(worker, job)
    }
    if (this.#waiting.length > starting && this.#restart === undefined) {
      if (this.#workers.size < this.#options.workerMaxCount) this.#spawn()
    }
  }

  #assign(worker: Worker<Answer>, job: Job<Answer>): void {
    clearTimeout(job.overdue)
    worker.state = 'busy'
    worker.job = job
    this.#watch(worker, this.#options.timeoutMillis, () => this.#giveUp(worker))
    worker.process.channel?.ref()
    // A failure to send shows as the end of the process or as its silence.
    worker.process.send(job.request, () => {})
  }

  #spawn(start?: Worker<Answer>['start']): void {
    const { program, args = [], env, timeoutMillis } = this.#options
    const worker: Worker<Answer> = {
      process: fork(program, args, {
        // Nothing of the server's environment or flags, which may hold secrets or a debugger's port.
        env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8', ...env },
        execArgv: ['--max-old-space-size=32'],
        stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
        serialization: 'advanced',
      }),
      start,
      state: 'starting',
      job: undefined,
      timer: undefined,
    }
    this.#workers.add(worker)
    worker.process.unref()
    this.#watch(worker, timeoutMillis, () => this.#giveUp(worker))
    worker.process.on('message', (message) => this.#receive(worker, message as PoolReply<Answer>))
    worker.process.on('error', (error) => this.#ended(worker, error.message))
    worker.process.on('exit', (code, signal) =>
      this.#ended(worker, signal === null ? `exit status ${code}` : `killed by ${signal}`),
    )
  }

  #receive(worker: Worker<Answer>, message: PoolReply<Answer>): void {
    if (!this.#workers.has(worker)) return
    if (message.kind === 'unusable') {
      this.#ended(worker, message.reason)
      return
    }
    const { job } = worker
    worker.state = 'idle'
    worker.job = undefined
    if (message.kind === 'ready') {
      worker.start?.ready()
      worker.start = undefined
    } else {
      this.#failureCount = 0
      if (job?.request.id === message.id) settle(job, { answer: message })
    }
    // Until there is work again, the process is no reason to keep the server running.
    worker.process.channel?.unref()
    this.#watch(worker, this.#options.idleMillis, () => this.#retireSpare(worker))
    this.#dispatch()
  }

  #giveUp(worker: Worker<Answer>): void {
    worker.process.kill('SIGKILL')
    this.#ended(worker, `no answer within ${this.#options.timeoutMillis} ms`)
  }

  /** A process ended, was too slow, or cannot work: its question stays unanswered, and another takes its place. */
  #ended(worker: Worker<Answer>, reason: string): void {
    if (!this.#workers.delete(worker)) return
    const { subject, log } = this.#options
    clearTimeout(worker.timer)
    if (worker.job) settle(worker.job, { reason: `${subject} did not answer: ${reason}` })
    if (worker.start) {
      this.#stopping = true
      worker.start.failed(new Error(reason))
      return
    }
    this.#failureCount++
    const delayMillis = Math.min(RESTART_MIN_MILLIS * 2 ** (this.#failureCount - 1), RESTART_MAX_MILLIS)
    log('error', `a ${subject} process ended: ${reason}; the next one starts in ${delayMillis} ms`)
    this.#restart ??= setTimeout(() => {
      this.#restart = undefined
      if (this.#workers.size === 0) this.#spawn()
      this.#dispatch()
    }, delayMillis).unref()
  }

  #retireSpare(worker: Worker<Answer>): void {
    if (this.#workers.size > 1) this.#retire(worker)
  }

  #retire(worker: Worker<Answer>): void {
    this.#workers.delete(worker)
    clearTimeout(worker.timer)
    worker.start?.failed(new Error(STOPPING))
    if (worker.job) {
      settle(worker.job, { reason: STOPPING })
      worker.process.kill('SIGKILL')
    } else if (worker.process.connected) {
      // With its channel closed the process has nothing left to wait for.
      worker.process.disconnect()
    }
  }

  #watch(worker: Worker<Answer>, millis: number, expired: () => void): void {
    clearTimeout(worker.timer)
    worker.timer = setTimeout(expired, millis).unref()
  }
}

function settle<Answer extends object>(job: Job<Answer>, outcome: PoolOutcome<Answer>): void {
  clearTimeout(job.overdue)
  job.settle(outcome)
}
